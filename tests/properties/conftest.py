"""Properties run without a deadline: on a shared machine it would fail whoever is unlucky."""

from hypothesis import settings

settings.register_profile("interlock", deadline=None)
settings.load_profile("interlock")
