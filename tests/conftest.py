pytest_plugins = ["pytester", "tests.lab"]
