// On a running stack: tests/e2e/test_typescript_client.py names it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, Client } from "../src/index.ts";

const { RECSYS_URL: url = "", RECSYS_KEY: apiKey = "", RECSYS_ITEMS = "" } = process.env;
const client = new Client(url, { apiKey });
const [first = "", ...others] = RECSYS_ITEMS.split(",");
const options = { skip: url ? false : "no stack is named" };

test("every kind of list is read", options, async () => {
  const placed = await client.recommend("home", { user_id: "17850", limit: 5 });
  assert.equal(placed.items.length, 5);
  assert.ok(placed.items[0]?.reason);
  const cheap = await client.recommendForUser("17850", { limit: 3, filter: "price < 5" });
  assert.ok(cheap.items.every(({ price }) => price !== null && price < 5));
  const similar = await client.similarItems(first, { limit: 5 });
  const leftOut = similar.items[0]?.item_id ?? "";
  const session = await client.recommendForSession([first], { limit: 5, excludeItemIds: [leftOut] });
  assert.ok(session.items.every(({ item_id }) => item_id !== leftOut));
  const page = await client.recommendPage({
    user_id: "17850",
    requests: [{ placement: "home", limit: 4 }, { placement: "product_page", item_id: first, limit: 4 }],
  });
  assert.deepEqual(page.responses.map(({ placement }) => placement), ["home", "product_page"]);
  const ordered = await client.rerank({ user_id: "17850", item_ids: others });
  assert.deepEqual([...ordered.item_ids].sort(), [...others].sort());
});

test("the catalogue is written", options, async () => {
  const itemId = "typescript/ü 1";
  await client.putItem(itemId, { title: "Lamp", price: 2.5 });
  assert.equal((await client.changeItem(itemId, { price: 3.5 })).title, "Lamp");
  assert.equal((await client.getItem(itemId)).price, 3.5);
  const batch = await client.putItems([{ item_id: "typescript-2" }, { item_id: "typescript-3", price: -1 }]);
  assert.deepEqual([batch.stored, batch.rejected[0]?.index], [1, 1]);
  for (const each of [itemId, "typescript-2"]) {
    await client.removeItem(each);
    await assert.rejects(client.getItem(each), { status: 404 });
  }
});

test("events are recorded, each for itself, and once", options, async () => {
  const view = { user_id: "typescript-visitor", item_id: first, event_type: "view", event_id: "typescript-1" };
  const answer = await client.recordEvents([view, { ...view, event_type: "teleport", event_id: "typescript-2" }]);
  assert.deepEqual(answer.results.map(({ status }) => status), ["accepted", "rejected"]);
  assert.equal((await client.recordEvents([view])).duplicate, 1);
  assert.equal((await client.mergeUsers("typescript-visitor", "typescript-customer")).moved_events, 1);
});

test("errors name the field", options, async () => {
  await assert.rejects(client.recommend("home", { limit: 1000 }), (error: ApiError) => {
    assert.deepEqual(error.problems.map(({ field }) => field), ["limit"]);
    return true;
  });
  await assert.rejects(new Client(url, { apiKey: "wrong" }).getItem("a"), { status: 401 });
});
