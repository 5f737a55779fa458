"""`python -m kirikae` is `kirikae`."""

from kirikae.cli import main

if __name__ == "__main__":
    main()
