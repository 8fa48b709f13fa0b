"""`python -m pplx_local`, for where the script is not on the path."""

from pplx_local.cli import main

if __name__ == "__main__":
    main()
