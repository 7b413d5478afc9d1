// Built from clients/typescript by `make clients`.

// src/errors.ts
var RecsysError = class extends Error {
  name = "RecsysError";
};
var NotReached = class extends RecsysError {
  name = "NotReached";
};
var UnexpectedAnswer = class extends RecsysError {
  name = "UnexpectedAnswer";
};
var ApiError = class extends RecsysError {
  name = "ApiError";
  problem;
  /** When to come again, where the API says so. */
  retryAfterSeconds;
  constructor(problem, retryAfterSeconds) {
    const fields = (problem.problems ?? []).map(({ field, reason }) => `; ${field}: ${reason}`);
    super(`${problem.status} ${problem.title}: ${problem.detail}${fields.join("")}`);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
  get status() {
    return this.problem.status;
  }
  /** The fields at fault. */
  get problems() {
    return this.problem.problems ?? [];
  }
};
var PASSING = /* @__PURE__ */ new Set([408, 429, 502, 503, 504]);
function mayPass(error) {
  return error instanceof ApiError ? PASSING.has(error.status) : error instanceof NotReached;
}
function retryAfter(error) {
  return error instanceof ApiError && error.retryAfterSeconds || 0;
}

// src/event-store.ts
var KEY = "recsys-events";
function forgetEvents() {
  withStorage((storage) => storage.removeItem(KEY));
}
var EventStore = class {
  #userId;
  #maxEvents;
  #events = [];
  /** @param maxEvents the oldest give way to newer ones */
  constructor(userId, maxEvents) {
    this.#userId = userId;
    this.#maxEvents = maxEvents;
    this.reload();
  }
  get events() {
    return this.#events;
  }
  add(event) {
    this.#events = [...this.#events, event].slice(-this.#maxEvents);
    this.#save();
  }
  remove(events) {
    const ids = new Set(events.map((event) => event.event_id));
    this.#events = this.#events.filter((event) => !ids.has(event.event_id));
    this.#save();
  }
  /** Take what is stored: another page of this tab may have sent some, or left others. */
  reload() {
    withStorage((storage) => {
      const stored = parse(storage.getItem(KEY));
      this.#events = stored.filter((event) => event.user_id === this.#userId);
    });
  }
  #save() {
    if (this.#events.length === 0) forgetEvents();
    else withStorage((storage) => storage.setItem(KEY, JSON.stringify(this.#events)));
  }
};
function withStorage(use) {
  try {
    use(sessionStorage);
  } catch {
  }
}
function parse(text) {
  try {
    const stored = JSON.parse(text ?? "[]");
    return Array.isArray(stored) ? stored : [];
  } catch {
    return [];
  }
}

// src/json.ts
function toJson(value) {
  try {
    return JSON.stringify(value, replacer);
  } catch (error) {
    throw error instanceof RecsysError ? error : new RecsysError(`JSON cannot say this: ${error}`, { cause: error });
  }
}
function replacer(name, value) {
  const given = this[name];
  const isNone = given instanceof Date ? Number.isNaN(given.getTime()) : typeof given === "number" && !Number.isFinite(given);
  if (isNone || typeof given === "bigint") throw new RecsysError(`${name} is ${given}, which JSON cannot say`);
  return value;
}

// src/new-id.ts
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// src/transport.ts
async function answerOf(baseUrl, credentials, call, sending) {
  const { response, text } = await exchange(baseUrl, credentials, call, sending);
  const json = parse2(text);
  if (response.ok && (json !== void 0 || response.status === 204)) return json;
  const isRejectedBatch = response.status === 422 && call.isBatch && isObject(json) && "rejected" in json;
  if (isRejectedBatch) return json;
  throw failure(response, json);
}
async function exchange(baseUrl, { apiKey, sessionToken }, { method, path, body }, { timeoutSeconds, keepalive = false, fetch: fetched = fetch }) {
  const headers = { "X-API-Key": apiKey };
  if (sessionToken) headers["X-Session-Token"] = sessionToken;
  if (body !== void 0) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(Math.max(1, Math.floor(timeoutSeconds * 1e3)));
  const content = body === void 0 ? null : toJson(body);
  try {
    const response = await fetched(baseUrl.replace(/\/+$/, "") + path, { method, headers, body: content, keepalive, signal });
    return { response, text: await response.text() };
  } catch (error) {
    throw new NotReached(`${method} ${path}: ${error}`, { cause: error });
  }
}
function failure(response, json) {
  if (response.headers.get("Content-Type")?.startsWith("application/problem+json") && isObject(json)) {
    const seconds = Number(response.headers.get("Retry-After") ?? void 0);
    return new ApiError(json, Number.isFinite(seconds) ? seconds : void 0);
  }
  const message = `${response.url} answered ${response.status} without what was expected`;
  return response.status >= 500 ? new NotReached(message) : new UnexpectedAnswer(message);
}
function parse2(text) {
  try {
    return JSON.parse(text);
  } catch {
    return void 0;
  }
}
function isObject(json) {
  return typeof json === "object" && json !== null;
}

// src/tracker.ts
var IMPRESSION_SECONDS = 1;
var TIMEOUT_SECONDS = 10;
var FIRST_WAIT_SECONDS = 1;
var LONGEST_WAIT_SECONDS = 60;
var MAX_EVENTS = 500;
var MAX_BATCH_BYTES = 3e4;
var SEEN = 0.5;
var Tracker = class {
  #options;
  #store;
  #underWay = /* @__PURE__ */ new Set();
  #listening = new AbortController();
  #seen = /* @__PURE__ */ new WeakMap();
  #observer;
  #token;
  #timer;
  #failures = 0;
  #retryAt = 0;
  // By a token that is over, or a consent that was withdrawn.
  #isStopped = false;
  constructor(options) {
    this.#options = options;
    this.#token = options.sessionToken;
    this.#store = new EventStore(options.userId, MAX_EVENTS);
    this.#observer = new IntersectionObserver((entries) => this.#noteSeen(entries), { threshold: SEEN });
    const { signal } = this.#listening;
    addEventListener("pagehide", () => this.#sendRest(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.#sendRest(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#resume(), { signal });
    this.flush();
  }
  /** Send an event now. */
  track(event) {
    this.#add(event);
    this.flush();
  }
  /** Send an event, such as an impression, once half of the element was in view. */
  trackWhenSeen(element, event) {
    this.#seen.set(element, event);
    this.#observer.observe(element);
  }
  /** Send what waits, unless a request is under way or a failure is to be waited for. */
  flush() {
    if (this.#underWay.size > 0) return;
    const wait = this.#retryAt - performance.now();
    if (wait > 0) this.#sendIn(wait / 1e3);
    else void this.#send();
  }
  /** Go on with a new token, in a page that is open for longer than one lasts. */
  renewSession(sessionToken) {
    this.#token = sessionToken;
    this.#isStopped = this.#listening.signal.aborted;
    this.flush();
  }
  /** Send nothing more, and forget what waits: the shopper has withdrawn the consent. */
  withdraw() {
    this.#isStopped = true;
    this.#listening.abort();
    this.#observer.disconnect();
    clearTimeout(this.#timer);
    this.#store.remove(this.#store.events);
    forgetEvents();
  }
  #add(event) {
    if (this.#listening.signal.aborted) return;
    const tracked = { ...event, user_id: this.#options.userId, event_id: newId() };
    try {
      this.#store.add(JSON.parse(toJson(tracked)));
    } catch (error) {
      this.#reject([tracked], error);
    }
  }
  #noteSeen(entries) {
    for (const { isIntersecting, target } of entries) {
      const event = this.#seen.get(target);
      if (!isIntersecting || !event) continue;
      this.#observer.unobserve(target);
      this.#add(event);
      this.#sendIn(IMPRESSION_SECONDS);
    }
  }
  #sendIn(seconds) {
    this.#timer ??= setTimeout(() => {
      this.#timer = void 0;
      this.flush();
    }, Math.ceil(seconds * 1e3));
  }
  /** The page goes: also while another request is under way, and without waiting. */
  #sendRest() {
    void this.#send();
  }
  /** The page is back from the browser's cache; requests that were under way are not. */
  #resume() {
    this.#underWay.clear();
    this.#store.reload();
    this.flush();
  }
  async #send() {
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
    this.flush();
  }
  #nextBatch() {
    let left = MAX_BATCH_BYTES;
    const waiting = this.#store.events.filter(({ event_id }) => !this.#underWay.has(event_id));
    const isWithin = (event) => (left -= byteLength(event)) >= 0;
    const tooMany = waiting.findIndex((event) => !isWithin(event));
    return waiting.slice(0, tooMany < 0 ? waiting.length : Math.max(tooMany, 1));
  }
  #post(events, sessionToken) {
    const { baseUrl = "", apiKey } = this.#options;
    const call = { method: "POST", path: "/v1/events", body: { events }, isBatch: true };
    const keepalive = byteLength(events) < 2 * MAX_BATCH_BYTES;
    const sending = { timeoutSeconds: TIMEOUT_SECONDS, keepalive };
    return answerOf(baseUrl, { apiKey, sessionToken }, call, sending);
  }
  #take(batch, answer) {
    this.#failures = 0;
    this.#retryAt = 0;
    this.#store.remove(batch);
    for (const { index, status, problems } of answer.results) {
      const event = batch[index];
      if (status === "rejected" && event) this.#tell(event, problems);
    }
  }
  #takeError(batch, token, error) {
    if (mayPass(error)) {
      const wait = Math.min(FIRST_WAIT_SECONDS * 2 ** this.#failures++, LONGEST_WAIT_SECONDS);
      const seconds = Math.max(wait * (0.5 + Math.random() / 2), retryAfter(error));
      this.#retryAt = performance.now() + seconds * 1e3;
    } else if (error instanceof ApiError && error.status === 401) {
      this.#isStopped ||= token === this.#token;
    } else {
      this.#store.remove(batch);
      this.#reject(batch, error);
    }
  }
  #reject(events, error) {
    for (const event of events) this.#tell(event, [{ field: "", reason: String(error) }]);
  }
  #tell(event, problems) {
    try {
      (this.#options.onRejected ?? warn).call(this.#options, event, problems);
    } catch (error) {
      reportError(error);
    }
  }
};
function warn({ item_id, event_type }, problems) {
  const reasons = problems.map(({ field, reason }) => `${field} ${reason}`.trim()).join("; ");
  console.warn(`recsys-client: ${event_type} of ${item_id} is not recorded: ${reasons}`);
}
var byteLength = (value) => new TextEncoder().encode(JSON.stringify(value)).length;
export {
  Tracker,
  forgetEvents
};
