import { ApiError, mayPass, retryAfter } from "./errors.ts";
import { EventStore, forgetEvents, type TrackedEvent } from "./event-store.ts";
import { toJson } from "./json.ts";
import { newId } from "./new-id.ts";
import type { Event, EventsAnswer, Problem } from "./schema.ts";
import { answerOf } from "./transport.ts";

export { forgetEvents };

/** What a shopper does; whose event it is, and its id, the tracker knows. */
export type PageEvent = Omit<Event, "user_id" | "event_id">;

export interface TrackerOptions {
  /** Of the API; the page's own host by default. */
  baseUrl?: string;
  /** A public key. */
  apiKey: string;
  /** Signed by the shop's server for this user. */
  sessionToken: string;
  userId: string;
  /** Told each event that the API does not take, or that cannot be sent; a line of the console by default. */
  onRejected?: (event: TrackedEvent, problems: readonly Problem[]) => void;
}

// Impressions of a moment go together.
const IMPRESSION_SECONDS = 1;
const TIMEOUT_SECONDS = 10;
const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 60;
// An hour of an eager shopper while the API is away.
const MAX_EVENTS = 500;
// Browsers let a page have 64 KiB of requests under way that outlive it.
const MAX_BATCH_BYTES = 30_000;
// How much of an element is in view when it counts as seen.
const SEEN = 0.5;

/**
 * Sends what a shopper does in a page.
 *
 * Make one when, and only when, the shopper has agreed. What could not be sent is sent again, later
 * or by the next page of the tab; by its id an event counts once. `fetch` with `keepalive` outlives the
 * page as `sendBeacon` does; a beacon could not carry the key, nor tell that it failed.
 */
export class Tracker {
  readonly #options: TrackerOptions;
  readonly #store: EventStore;
  readonly #underWay = new Set<string>();
  readonly #listening = new AbortController();
  readonly #seen = new WeakMap<Element, PageEvent>();
  readonly #observer: IntersectionObserver;
  #token: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #retryAt = 0;
  // By a token that is over, or a consent that was withdrawn.
  #isStopped = false;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#token = options.sessionToken;
    this.#store = new EventStore(options.userId, MAX_EVENTS);
    this.#observer = new IntersectionObserver((entries) => this.#noteSeen(entries), { threshold: SEEN });
    const { signal } = this.#listening;
    addEventListener("pagehide", () => this.#sendRest(), { signal });
    // A phone may end a page that it hides without another word.
    document.addEventListener("visibilitychange", () => document.hidden && this.#sendRest(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#resume(), { signal });
    this.flush();
  }

  /** Send an event now. */
  track(event: PageEvent): void {
    this.#add(event);
    this.flush();
  }

  /** Send an event, such as an impression, once half of the element was in view. */
  trackWhenSeen(element: Element, event: PageEvent): void {
    this.#seen.set(element, event);
    this.#observer.observe(element);
  }

  /** Send what waits, unless a request is under way or a failure is to be waited for. */
  flush(): void {
    if (this.#underWay.size > 0) return;
    const wait = this.#retryAt - performance.now();
    if (wait > 0) this.#sendIn(wait / 1000);
    else void this.#send();
  }

  /** Go on with a new token, in a page that is open for longer than one lasts. */
  renewSession(sessionToken: string): void {
    this.#token = sessionToken;
    this.#isStopped = this.#listening.signal.aborted;
    this.flush();
  }

  /** Send nothing more, and forget what waits: the shopper has withdrawn the consent. */
  withdraw(): void {
    this.#isStopped = true;
    this.#listening.abort();
    this.#observer.disconnect();
    clearTimeout(this.#timer);
    this.#store.remove(this.#store.events);
    forgetEvents();
  }

  #add(event: PageEvent): void {
    if (this.#listening.signal.aborted) return;
    const tracked = { ...event, user_id: this.#options.userId, event_id: newId() };
    try {
      // A copy: what the page makes of its object later is another event.
      this.#store.add(JSON.parse(toJson(tracked)) as TrackedEvent);
    } catch (error) {
      this.#reject([tracked], error);
    }
  }

  #noteSeen(entries: readonly IntersectionObserverEntry[]): void {
    for (const { isIntersecting, target } of entries) {
      const event = this.#seen.get(target);
      if (!isIntersecting || !event) continue;
      this.#observer.unobserve(target);
      this.#add(event);
      this.#sendIn(IMPRESSION_SECONDS);
    }
  }

  #sendIn(seconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, Math.ceil(seconds * 1000));
  }

  /** The page goes: also while another request is under way, and without waiting. */
  #sendRest(): void {
    void this.#send();
  }

  /** The page is back from the browser's cache; requests that were under way are not. */
  #resume(): void {
    this.#underWay.clear();
    this.#store.reload();
    this.flush();
  }

  async #send(): Promise<void> {
    const batch = this.#nextBatch();
    if (this.#isStopped || batch.length === 0) return;
    for (const { event_id } of batch) this.#underWay.add(event_id);
    const token = this.#token;
    try {
      this.#take(batch, await this.#post(batch, token));
    } catch (error) {
      this.#takeError(batch, token, error);
    }
    for (const { event_id } of batch) this.#underWay.delete(event_id);
    // What came meanwhile, or what failed when it is time.
    this.flush();
  }

  #nextBatch(): TrackedEvent[] {
    let left = MAX_BATCH_BYTES;
    const waiting = this.#store.events.filter(({ event_id }) => !this.#underWay.has(event_id));
    const isWithin = (event: TrackedEvent) => (left -= byteLength(event)) >= 0;
    const tooMany = waiting.findIndex((event) => !isWithin(event));
    // One alone may be longer than that.
    return waiting.slice(0, tooMany < 0 ? waiting.length : Math.max(tooMany, 1));
  }

  #post(events: readonly TrackedEvent[], sessionToken: string): Promise<EventsAnswer> {
    const { baseUrl = "", apiKey } = this.#options;
    const call = { method: "POST", path: "/v1/events", body: { events }, isBatch: true };
    // A browser refuses to send one that is too long for that; the API says why it does not take it.
    const keepalive = byteLength(events) < 2 * MAX_BATCH_BYTES;
    const sending = { timeoutSeconds: TIMEOUT_SECONDS, keepalive };
    return answerOf(baseUrl, { apiKey, sessionToken }, call, sending);
  }

  #take(batch: readonly TrackedEvent[], answer: EventsAnswer): void {
    this.#failures = 0;
    this.#retryAt = 0;
    this.#store.remove(batch);
    for (const { index, status, problems } of answer.results) {
      const event = batch[index];
      if (status === "rejected" && event) this.#tell(event, problems);
    }
  }

  #takeError(batch: readonly TrackedEvent[], token: string, error: unknown): void {
    if (mayPass(error)) {
      const wait = Math.min(FIRST_WAIT_SECONDS * 2 ** this.#failures++, LONGEST_WAIT_SECONDS);
      // By chance, so that pages which failed together do not come back together.
      const seconds = Math.max(wait * (0.5 + Math.random() / 2), retryAfter(error));
      this.#retryAt = performance.now() + seconds * 1000;
    } else if (error instanceof ApiError && error.status === 401) {
      // The events wait for a new token, in this page or the next. It may have come meanwhile.
      this.#isStopped ||= token === this.#token;
    } else {
      this.#store.remove(batch);
      this.#reject(batch, error);
    }
  }

  #reject(events: readonly TrackedEvent[], error: unknown): void {
    for (const event of events) this.#tell(event, [{ field: "", reason: String(error) }]);
  }

  #tell(event: TrackedEvent, problems: readonly Problem[]): void {
    try {
      (this.#options.onRejected ?? warn).call(this.#options, event, problems);
    } catch (error) {
      // The page's own fault must not end the tracker.
      reportError(error);
    }
  }
}

/** Without the shopper. */
function warn({ item_id, event_type }: TrackedEvent, problems: readonly Problem[]): void {
  const reasons = problems.map(({ field, reason }) => `${field} ${reason}`.trim()).join("; ");
  console.warn(`recsys-client: ${event_type} of ${item_id} is not recorded: ${reasons}`);
}

const byteLength = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;
