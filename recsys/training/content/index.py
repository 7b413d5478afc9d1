"""The content index of a model, by which items that come after training are known at once."""

import numpy as np
from scipy.sparse import csr_matrix

from recsys.core.content_index import ContentIndex
from recsys.core.vocabulary import Vocabulary
from recsys.training.content.features import ContentFeatures


def content_index(features: ContentFeatures, compared: csr_matrix) -> ContentIndex:
    """Index the items that others are compared with.

    Args:
        compared: (f, n), see `recsys.training.content.alike.most_bought`.
    """
    return ContentIndex(
        names=Vocabulary(features.names()),
        weights=features.weights,
        indptr=compared.indptr.astype(np.int64),
        items=compared.indices.astype(np.int32),
        scales=features.scales,
        levels=features.levels,
    )
