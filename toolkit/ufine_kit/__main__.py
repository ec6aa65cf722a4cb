"""`python -m ufine_kit` is the same command as `ufine-kit`."""

from ufine_kit.cli import main

if __name__ == "__main__":
    main()
