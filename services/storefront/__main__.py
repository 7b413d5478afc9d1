"""`python -m services.storefront`."""

from services.storefront.main import main

main()
