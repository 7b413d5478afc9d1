import { mayPass, RecsysError, retryAfter } from "./errors.ts";
import type {
  ErasedUser,
  Event,
  EventsAnswer,
  ExperimentReport,
  Item,
  ItemBatchAnswer,
  ItemChanges,
  ItemFields,
  MergedUsers,
  PageRecommendations,
  PageRequest,
  PlacementRecommendations,
  PlacementRequest,
  RerankedItems,
  RerankRequest,
  SessionRecommendations,
  SimilarItems,
  User,
  UserChanges,
  UserFields,
  UserRecommendations,
  WholeItem,
} from "./schema.ts";
import { answerOf, type Call, type Credentials } from "./transport.ts";
import { newId } from "./new-id.ts";

export interface ClientOptions {
  /** For asking, all attempts together: a page is better off without a list than late. */
  readSeconds?: number;
  /** For what is durable once it is answered; the gateway gives itself 5 s. */
  writeSeconds?: number;
  /** With the first one. */
  attempts?: number;
  /** Doubles with each further attempt, and is shortened by chance. */
  firstWaitSeconds?: number;
  fetch?: typeof fetch;
}

/** What the simple lists take; the API's description explains each. */
export interface ListOptions {
  limit?: number;
  filter?: string;
  excludeItemIds?: readonly string[];
  explain?: boolean;
}

const DEFAULTS = { readSeconds: 2, writeSeconds: 6, attempts: 3, firstWaitSeconds: 0.1 };

/** The REST API. Each call may be repeated: it reads, replaces, or has ids that count once. */
export class Client {
  readonly #baseUrl: string;
  readonly #credentials: Credentials;
  readonly #options: typeof DEFAULTS & ClientOptions;

  /** @param baseUrl such as `https://recommendations.example` */
  constructor(baseUrl: string, credentials: Credentials, options: ClientOptions = {}) {
    this.#baseUrl = baseUrl;
    this.#credentials = credentials;
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.#options = { ...DEFAULTS, ...Object.fromEntries(given) };
  }

  /** Fill a placement of the shop's settings. */
  async recommend(placement: string, request: PlacementRequest): Promise<PlacementRecommendations> {
    return this.#read("POST", `/v1/placements/${segment("placement", placement)}:recommend`, request);
  }

  /** Fill several placements for one page, no item twice. */
  recommendPage(request: PageRequest): Promise<PageRecommendations> {
    return this.#read("POST", "/v1/placements:recommend", request);
  }

  /** Recommend items to a user; popular ones to a user whom nobody knows. */
  async recommendForUser(userId: string, options: ListOptions = {}): Promise<UserRecommendations> {
    return this.#read("GET", `${userPath(userId)}/recommendations${query(options)}`);
  }

  /** Recommend items to somebody without an id, by what they looked at, the newest last. */
  async recommendForSession(itemIds: readonly string[], options: ListOptions = {}): Promise<SessionRecommendations> {
    return this.#read("GET", `/v1/recommendations${query(options, itemIds)}`);
  }

  /** Recommend items that go with one. */
  async similarItems(itemId: string, options: ListOptions = {}): Promise<SimilarItems> {
    return this.#read("GET", `${itemPath(itemId)}/similar${query(options)}`);
  }

  /** Put given items, such as those of a search, in the order of a user. */
  rerank(request: RerankRequest): Promise<RerankedItems> {
    return this.#read("POST", "/v1/items:rerank", request);
  }

  /**
   * Record up to 1,000 events; each is accepted, a duplicate or rejected by itself.
   *
   * An event without an `event_id` gets one, so that it counts once whatever has to be repeated.
   */
  recordEvents(events: readonly Event[]): Promise<EventsAnswer> {
    const body = { events: events.map((event) => ({ ...event, event_id: event.event_id ?? newId() })) };
    return this.#write({ method: "POST", path: "/v1/events", body, isBatch: true });
  }

  /** Read an item as the catalogue has it now. */
  async getItem(itemId: string): Promise<Item> {
    return this.#read("GET", itemPath(itemId));
  }

  /** Store an item whole. */
  async putItem(itemId: string, body: ItemFields): Promise<Item> {
    return this.#write({ method: "PUT", path: itemPath(itemId), body });
  }

  /** Replace the fields that are named. */
  async changeItem(itemId: string, body: ItemChanges): Promise<Item> {
    return this.#write({ method: "PATCH", path: itemPath(itemId), body });
  }

  /** Remove an item and hide it everywhere; one that is not there is no error. */
  async removeItem(itemId: string): Promise<void> {
    return this.#write({ method: "DELETE", path: itemPath(itemId) });
  }

  /** Store up to 1,000 items whole; `rejected` names those that break a rule. */
  putItems(items: readonly WholeItem[]): Promise<ItemBatchAnswer> {
    return this.#write({ method: "POST", path: "/v1/items:batchUpsert", body: { items }, isBatch: true });
  }

  /** Read what the shop says of a user. */
  async getUser(userId: string): Promise<User> {
    return this.#read("GET", userPath(userId));
  }

  /** Say of a user this, and nothing else. */
  async putUser(userId: string, body: UserFields): Promise<User> {
    return this.#write({ method: "PUT", path: userPath(userId), body });
  }

  /** Set the attributes that are named; null removes one. */
  async changeUser(userId: string, body: UserChanges): Promise<User> {
    return this.#write({ method: "PATCH", path: userPath(userId), body });
  }

  /** Make what a visitor did the customer's. It cannot be taken back. */
  mergeUsers(sourceUserId: string, targetUserId: string): Promise<MergedUsers> {
    const body = { source_user_id: sourceUserId, target_user_id: targetUserId };
    return this.#write({ method: "POST", path: "/v1/users:merge", body });
  }

  /** Forget a user. It cannot be taken back. */
  async eraseUser(userId: string): Promise<ErasedUser> {
    return this.#write({ method: "DELETE", path: userPath(userId) });
  }

  /** Read what came of recommendations, as `recsys report --publish` counted it last. */
  experimentReport(): Promise<ExperimentReport> {
    return this.#read("GET", "/v1/reports/experiments");
  }

  #read<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#answer({ method, path, body }, this.#options.readSeconds);
  }

  #write<Answer>(call: Call): Promise<Answer> {
    return this.#answer(call, this.#options.writeSeconds);
  }

  async #answer<Answer>(call: Call, seconds: number): Promise<Answer> {
    const { attempts, firstWaitSeconds, fetch: fetched = fetch } = this.#options;
    const deadline = now() + seconds;
    for (let attempt = 1; ; attempt++) {
      try {
        const sending = { timeoutSeconds: deadline - now(), fetch: fetched };
        return await answerOf<Answer>(this.#baseUrl, this.#credentials, call, sending);
      } catch (error) {
        const backOff = firstWaitSeconds * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
        const wait = Math.max(backOff, retryAfter(error));
        if (attempt >= attempts || !mayPass(error) || now() + wait >= deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait * 1000));
      }
    }
  }
}

const now = (): number => performance.now() / 1000;

const userPath = (userId: string): string => `/v1/users/${segment("userId", userId)}`;

const itemPath = (itemId: string): string => `/v1/items/${segment("itemId", itemId)}`;

/** What JavaScript lets through: undefined would be the user "undefined", and its answer a list. */
function checked(name: string, id: string): string {
  if (typeof id === "string" && id !== "") return id;
  throw new RecsysError(`${name} is ${id === "" ? "empty" : String(id)}: an id is a text, and not an empty one`);
}

function segment(name: string, id: string): string {
  checked(name, id);
  if (id === "." || id === "..") {
    throw new RecsysError("the ids . and .. cannot stand in a URL: fetch takes them for folders, encoded or not");
  }
  try {
    return encodeURIComponent(id);
  } catch (error) {
    throw new RecsysError(`${name} has half a surrogate pair`, { cause: error });
  }
}

/** A text is a list, too, of its characters. */
function listed(name: string, ids: readonly string[]): readonly string[] {
  if (!Array.isArray(ids)) throw new RecsysError(`${name} is ${String(ids)}: it must be an array of ids`);
  return ids.map((id) => checked(name, id));
}

const OPTIONS = new Set(["limit", "filter", "excludeItemIds", "explain"]);

function query(options: ListOptions, itemIds: readonly string[] = []): string {
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name));
  // A filter that nobody looks at would let everything pass.
  if (unknown) throw new RecsysError(`${unknown} is no option; there are ${[...OPTIONS].join(", ")}`);
  const parameters = new URLSearchParams(listed("itemIds", itemIds).map((itemId) => ["item_id", itemId]));
  if (options.limit !== undefined) parameters.set("limit", String(options.limit));
  if (options.filter !== undefined) parameters.set("filter", options.filter);
  for (const itemId of listed("excludeItemIds", options.excludeItemIds ?? [])) parameters.append("exclude_item_id", itemId);
  if (options.explain) parameters.set("explain", "true");
  return parameters.size ? `?${parameters}` : "";
}
