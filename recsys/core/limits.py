"""Limits of what callers may send and ask for: one owner, quoted by the REST and RPC contracts."""

# Item and user ids are part of row keys and Redis keys. Shops' own are below 64 characters; this
# leaves room for URLs and composed ones.
MAX_ID_CHARACTERS = 256
# A long product title is 200 characters. Descriptions do not belong into recommendations.
MAX_TEXT_CHARACTERS = 1000
# Several paths through a category tree; deeper trees than ten levels are unknown.
MAX_CATEGORIES = 50
# Of the path of a category page.
MAX_CATEGORY_LEVELS = 10
# Campaigns, collections and labels.
MAX_TAGS = 100
# A hundred of the longest ones still are a tenth of a request body.
MAX_ATTRIBUTES = 100
# Quantities and prices. Sums of a billion of such numbers keep six digits in float64.
MAX_NUMBER = 1e12

# Of an event: a placement, an experiment and its variant, a recommendation's id, and room for more.
MAX_CONTEXT_ENTRIES = 20
MAX_CONTEXT_KEY_CHARACTERS = 64
MAX_CONTEXT_VALUE_CHARACTERS = 256
# What a shopper typed into a search box. Longer ones were pasted, and say nothing about a shop.
MAX_QUERY_CHARACTERS = 500

# Events of one batch: their results take some 100 KiB, and writing them a tenth of a second.
MAX_EVENTS = 1000
# Batches of events that gateways send to ingest in one call: as many as wait for one write.
MAX_EVENT_BATCHES = 64
# Items of one batch: a catalogue of a hundred thousand is a hundred requests.
MAX_ITEMS = 1000

# Items that are put in a user's order: some pages of search results.
MAX_RERANKED_ITEMS = 500

# Lists of one page of a storefront: more are further down than anybody scrolls.
MAX_PAGE_PLACEMENTS = 10

# Items of one response: several screens of a storefront, and as many as the nightly lists keep.
MAX_LIMIT = 100
# The first screen, when a caller does not say.
DEFAULT_LIMIT = 20
# Items looked at in one session without a user. Later ones say more than the hundredth.
MAX_SESSION_ITEMS = 100

# Fields at fault that are described to a caller; a thousand of them help nobody.
MAX_PROBLEMS = 20
# Of the name of such a field, which the caller chose.
MAX_FIELD_CHARACTERS = 100

# A thousand events, or items, of 8 KiB each: several times what one has with every field filled in.
MAX_BODY_BYTES = 8 * 1024**2

# Of both in a URL, of which balancers take some 16 KB in all; a body takes more.
MAX_FILTER_CHARACTERS_IN_URL = 1000
MAX_EXCLUDED_ITEMS_IN_URL = 100
# A filter that a program wrote, with two hundred brands in a list.
MAX_FILTER_CHARACTERS = 4000
# Items of all pages of one list, each of which carries the ids of those before.
MAX_PAGED_ITEMS = 1000
# A thousand ids of 36 characters, as a UUID has; with longer ones a list has fewer pages.
MAX_PAGE_TOKEN_CHARACTERS = 50_000
# Of an exclusion by behaviour: as long as recent events are remembered.
MAX_SEEN_DAYS = 30
# Of what is popular and trending, of one shop: each is two orders of items in every recommender.
MAX_WINDOWS = 10
# Of a window: a year. A longer one is what is popular at any time.
MAX_WINDOW_DAYS = 365
# Types of event in one request; shops have a dozen.
MAX_EVENT_TYPES = 50
# Boosts, pins or exclusions of one answer: each is a look at all candidates.
MAX_RULES = 50
# Of a shop: each is a look at its placements for every answer.
MAX_EXPERIMENTS = 50
# Items that a request excludes, beside what the shopper had: what stands on the page already.
MAX_EXCLUDED_ITEMS = 1000
