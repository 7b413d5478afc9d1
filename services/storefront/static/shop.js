// What a shopper does in these pages, for the tracker. A page has a key, a token and a user only after
// consent; without them it also forgets what waited to be sent.
import { forgetEvents, Tracker } from "./tracker.js";

const { user, key, token } = document.body.dataset;
// Pages of other tabs, which may still have all three.
const withdrawals = new BroadcastChannel("shop-consent");
if (key) {
  follow(new Tracker({ userId: user, apiKey: key, sessionToken: token }));
} else {
  forgetEvents();
  withdrawals.postMessage("withdrawn");
}

function follow(tracker) {
  withdrawals.onmessage = () => tracker.withdraw();

  for (const card of document.querySelectorAll(".card[data-item]")) {
    tracker.trackWhenSeen(card, eventOf("impression", card, card.dataset.item));
  }

  const main = document.querySelector("main[data-view]");
  if (main) tracker.track(eventOf("view", main, main.dataset.view));

  const followLink = (click) => {
    const card = click.target.closest(".card[data-item] a")?.closest(".card");
    if (card) tracker.track(eventOf("click", card, card.dataset.item));
  };
  document.addEventListener("click", followLink);
  // The middle button opens a tab, and is no click to browsers.
  document.addEventListener("auxclick", (click) => click.button === 1 && followLink(click));
  document.addEventListener("submit", (submit) => {
    const { event, item, withdraws } = submit.target.dataset;
    if (event) tracker.track(eventOf(event, submit.target, item));
    if (withdraws === undefined) return;
    // Here and in the other tabs at once: a page that goes would send what it still has.
    tracker.withdraw();
    withdrawals.postMessage("withdrawn");
  });
}

function eventOf(type, element, itemId) {
  const { placement, recommendation, experiment, variant } = element.dataset;
  const context = placement ? { placement, recommendation_id: recommendation } : {};
  if (experiment) Object.assign(context, { experiment, variant });
  return { item_id: itemId, event_type: type, context };
}
