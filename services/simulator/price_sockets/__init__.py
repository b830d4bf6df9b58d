"""Reference prices on their way to clients: the present socket and the older one."""
