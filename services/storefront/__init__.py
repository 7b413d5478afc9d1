"""The demo shop: an example storefront, a client of the public API like any other."""
