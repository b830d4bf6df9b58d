"""What stands between a client and the chain: the relayer, and questions to a node."""
