"""Content-based model of items: factors and neighbours for those that nobody has bought yet.

From the catalogue's columns (`item_content`) to a sparse matrix (`features`), from it to predicted
factors (`regression`) and to alike items (`alike`) whose lists become those of new items
(`smoothed_neighbours`); `blend` joins both with what is known by behaviour.
docs/decisions/0015-new-items.md says what was measured.
"""

from recsys.training.content.blend import WithContent as WithContent
from recsys.training.content.blend import with_content as with_content
from recsys.training.content.item_content import ItemContent as ItemContent
