from hypothesis import settings

pytest_plugins = ["pytester", "tests.lab"]

# Machines are shared and noisy: how long one example takes says nothing about the code.
settings.register_profile("kirikae", deadline=None)
settings.load_profile("kirikae")
