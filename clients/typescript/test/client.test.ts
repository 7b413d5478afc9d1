import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, Client, NotReached, RecsysError, UnexpectedAnswer, type ClientOptions, type Event, type ListOptions } from "../src/index.ts";

const VIEW: Event = { user_id: "ann", item_id: "lamp", event_type: "view" };
const LIST = { items: [], source: "popular", model_version: null, degraded: false, user_id: "ann" };

/** An API that answers with one after the other; an error is a connection that fails. */
function fakeApi(...answers: (Response | Error)[]) {
  const requests: { url: string; init: RequestInit }[] = [];
  const fetched = async (url: unknown, init: RequestInit = {}) => {
    requests.push({ url: String(url), init });
    const answer = answers[requests.length - 1];
    if (!answer) throw new Error(`nobody expected request ${requests.length}`);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const options = { fetch: fetched as typeof fetch, firstWaitSeconds: 0.001 };
  const bodies = () => requests.map(({ init }) => JSON.parse(String(init.body)));
  return { requests, bodies, client: new Client("http://api/", { apiKey: "key" }, options) };
}

const good = (body: unknown): Response => Response.json(body);

function problem(status: number, headers: Record<string, string> = {}, more: object = {}): Response {
  const body = { status, title: "Not so", detail: "this time", request_id: "r-1", ...more };
  headers = { "Content-Type": "application/problem+json", ...headers };
  return new Response(JSON.stringify(body), { status, headers });
}

test("ids and options are encoded into the path", async () => {
  const api = fakeApi(good(LIST), good(LIST));
  await api.client.recommendForUser("a/b c", { limit: 3, filter: "price < 5", excludeItemIds: ["x", "y"] });
  await api.client.recommendForSession(["1", "2"], { explain: true });
  assert.deepEqual(
    api.requests.map(({ url }) => url),
    [
      "http://api/v1/users/a%2Fb%20c/recommendations?limit=3&filter=price+%3C+5&exclude_item_id=x&exclude_item_id=y",
      "http://api/v1/recommendations?item_id=1&item_id=2&explain=true",
    ],
  );
});

for (const itemId of [".", ".."]) {
  test(`an id ${itemId} is refused, for fetch would ask another route`, async () => {
    const api = fakeApi(good({}));
    await assert.rejects(api.client.similarItems(itemId), /cannot stand in a URL/);
    assert.equal(api.requests.length, 0);
  });
}

for (const [name, value, says] of [
  ["a number that is none", Number.NaN, /size is NaN/],
  ["infinity", -Infinity, /size is -Infinity/],
  ["a date without a time", new Date("soon"), /size is Invalid Date/],
  ["a bigint", 5n, /size is 5/],
] as const) {
  test(`${name} is refused by its name, for JSON cannot say it`, async () => {
    const api = fakeApi(good({}));
    const changes = { attributes: { size: value as unknown as number } };
    await assert.rejects(api.client.putItem("lamp", changes), (error: RecsysError) => {
      assert.ok(error instanceof RecsysError);
      assert.match(error.message, says);
      return true;
    });
    assert.equal(api.requests.length, 0);
  });
}

for (const id of [undefined, null, "", 17850, "\ud800"]) {
  test(`an id ${JSON.stringify(id)} is refused, for it would be another one's`, async () => {
    const api = fakeApi(good(LIST));
    await assert.rejects(api.client.recommendForUser(id as string), /^RecsysError: userId (is|has)/);
    await assert.rejects(api.client.recommend(id as string, {}), /^RecsysError: placement (is|has)/);
    assert.equal(api.requests.length, 0);
  });
}

for (const ids of ["lamp", ["a", undefined], [""]]) {
  test(`ids ${JSON.stringify(ids)} are refused, for others would be asked about`, async () => {
    const api = fakeApi(good(LIST));
    const given = ids as string[];
    await assert.rejects(api.client.similarItems("a", { excludeItemIds: given }), /^RecsysError: excludeItemIds is/);
    await assert.rejects(api.client.recommendForSession(given), /^RecsysError: itemIds is/);
    assert.equal(api.requests.length, 0);
  });
}

test("an option of the client that is undefined is not given", async () => {
  const fetched = async () => good(LIST);
  const options = { fetch: fetched as typeof fetch, attempts: undefined, readSeconds: undefined };
  const client = new Client("http://api", { apiKey: "key" }, options as unknown as ClientOptions);
  assert.equal((await client.similarItems("a")).source, "popular");
});

test("an option that there is not is refused, for its filter would be left out", async () => {
  const api = fakeApi(good(LIST));
  const options = { exclude_item_ids: ["lamp"] } as ListOptions;
  await assert.rejects(api.client.similarItems("lamp", options), /exclude_item_ids is no option; there are limit, filter/);
  assert.equal(api.requests.length, 0);
});

test("the address may end with any number of slashes", async () => {
  const urls: string[] = [];
  const fetched = async (url: unknown) => (urls.push(String(url)), good(LIST));
  await new Client("http://api/shop//", { apiKey: "key" }, { fetch: fetched as typeof fetch }).similarItems("a");
  assert.deepEqual(urls, ["http://api/shop/v1/items/a/similar"]);
});

test("a session token stands beside the key", async () => {
  const requests: RequestInit[] = [];
  const fetched = async (_: unknown, init: RequestInit = {}) => (requests.push(init), good(LIST));
  const credentials = { apiKey: "public", sessionToken: "token" };
  await new Client("http://api", credentials, { fetch: fetched as typeof fetch }).recommend("home", {});
  const headers = { "X-API-Key": "public", "X-Session-Token": "token", "Content-Type": "application/json" };
  assert.deepEqual(requests[0]?.headers, headers);
});

for (const failure of [503, 504, 502, 429, 408]) {
  test(`${failure} is repeated with the same ids`, async () => {
    const api = fakeApi(problem(failure), problem(failure), good({ accepted: 1 }));
    assert.equal((await api.client.recordEvents([VIEW])).accepted, 1);
    assert.equal(new Set(api.bodies().map((body) => body.events[0].event_id)).size, 1);
  });
}

test("a connection that fails, or a proxy that does, is repeated", async () => {
  const api = fakeApi(new TypeError("refused"), new Response("<html>", { status: 502 }), good(LIST));
  await api.client.recommendForUser("ann");
  assert.equal(api.requests.length, 3);
});

for (const status of [400, 401, 403, 404, 409, 422, 500]) {
  test(`${status} is asked once, and says what is wrong`, async () => {
    const problems = [{ field: "limit", reason: "is too high" }];
    const api = fakeApi(problem(status, {}, { problems }));
    await assert.rejects(api.client.getItem("lamp"), (error: ApiError) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.status, status);
      assert.equal(error.message, `${status} Not so: this time; limit: is too high`);
      return true;
    });
  });
}

test("attempts end", async () => {
  const api = fakeApi(problem(503), problem(503), problem(503));
  await assert.rejects(api.client.recommendForUser("ann"), ApiError);
  const away = fakeApi(new TypeError("a"), new TypeError("b"), new TypeError("c"));
  await assert.rejects(away.client.recommendForUser("ann"), NotReached);
});

test("it does not wait for longer than the call may take", async () => {
  const api = fakeApi(problem(429, { "Retry-After": "3" }));
  await assert.rejects(api.client.recommendForUser("ann"), { retryAfterSeconds: 3 });
});

test("a server that does not answer is given up in time", async () => {
  const hung = (_: unknown, init: RequestInit = {}) =>
    new Promise((_resolve, reject) => init.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
  const client = new Client("http://api", { apiKey: "key" }, { fetch: hung as typeof fetch, readSeconds: 0.05 });
  // Node ends while only an AbortSignal's timer is left.
  const keepAlive = setTimeout(() => {}, 5000);
  await assert.rejects(client.recommendForUser("ann"), NotReached);
  clearTimeout(keepAlive);
});

test("what is no answer of the API is said to be none", async () => {
  await assert.rejects(fakeApi(new Response("<html>")).client.getItem("a"), UnexpectedAnswer);
  await assert.rejects(fakeApi(new Response("", { status: 403 })).client.getItem("a"), UnexpectedAnswer);
});

test("a batch of which all is rejected is an answer too", async () => {
  const api = fakeApi(problem(422, {}, { accepted: 0, rejected: 1, results: [] }), problem(422));
  assert.equal((await api.client.recordEvents([VIEW])).rejected, 1);
  await assert.rejects(api.client.recordEvents([]), ApiError);
});

test("a removed item has no answer", async () => {
  assert.equal(await fakeApi(new Response(null, { status: 204 })).client.removeItem("a"), undefined);
});
