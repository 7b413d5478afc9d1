"""Parts that pages need, handed to them by the application."""

from dataclasses import dataclass

from fastapi import Request

from services.storefront.api import Api
from services.storefront.catalogue import Catalogue
from services.storefront.operations import Operations
from services.storefront.settings import StorefrontKeys


@dataclass(frozen=True, slots=True)
class Dependencies:
    keys: StorefrontKeys
    api: Api
    catalogue: Catalogue
    operations: Operations


def dependencies_of(request: Request) -> Dependencies:
    found: Dependencies = request.app.state.dependencies
    return found
