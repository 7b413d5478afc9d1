// Events that the API has not answered for yet, kept over a change of pages.
import type { Event } from "./schema.ts";

export type TrackedEvent = Event & { event_id: string };

const KEY = "recsys-events";

/** Forget what waits in this tab, such as after a withdrawn consent. */
export function forgetEvents(): void {
  withStorage((storage) => storage.removeItem(KEY));
}

/** Events of one user in their order, in `sessionStorage` as far as the browser has one. */
export class EventStore {
  readonly #userId: string;
  readonly #maxEvents: number;
  #events: TrackedEvent[] = [];

  /** @param maxEvents the oldest give way to newer ones */
  constructor(userId: string, maxEvents: number) {
    this.#userId = userId;
    this.#maxEvents = maxEvents;
    this.reload();
  }

  get events(): readonly TrackedEvent[] {
    return this.#events;
  }

  add(event: TrackedEvent): void {
    this.#events = [...this.#events, event].slice(-this.#maxEvents);
    this.#save();
  }

  remove(events: readonly TrackedEvent[]): void {
    const ids = new Set(events.map((event) => event.event_id));
    this.#events = this.#events.filter((event) => !ids.has(event.event_id));
    this.#save();
  }

  /** Take what is stored: another page of this tab may have sent some, or left others. */
  reload(): void {
    withStorage((storage) => {
      const stored = parse(storage.getItem(KEY));
      // A session token is for one user: others' events would be rejected.
      this.#events = stored.filter((event) => event.user_id === this.#userId);
    });
  }

  #save(): void {
    if (this.#events.length === 0) forgetEvents();
    else withStorage((storage) => storage.setItem(KEY, JSON.stringify(this.#events)));
  }
}

/** Without storage, or without room in it, events live as long as the page. */
function withStorage(use: (storage: Storage) => void): void {
  try {
    use(sessionStorage);
  } catch {
    // Turned off by the user, or full.
  }
}

function parse(text: string | null): TrackedEvent[] {
  try {
    const stored: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(stored) ? stored : [];
  } catch {
    return [];
  }
}
