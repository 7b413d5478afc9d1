// Sends what a shopper does to the API, by the page's public key and session token. The page has these
// only after consent. `fetch` with keepalive outlives the page as `sendBeacon` does, and can send the
// key in a header.
"use strict";
(() => {
  const { user, key, token } = document.body.dataset;
  if (!key) return;

  const send = (events) => {
    fetch("/v1/events", {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json", "X-API-Key": key, "X-Session-Token": token },
      body: JSON.stringify({ events }),
    }).catch(() => {}); // A page must work without its tracker.
  };

  const eventOf = (type, element, itemId) => {
    const { placement, recommendation, experiment, variant } = element.dataset;
    const context = placement ? { placement, recommendation_id: recommendation } : {};
    if (experiment) Object.assign(context, { experiment, variant });
    return { user_id: user, item_id: itemId, event_type: type, context };
  };

  // A card counts as seen when half of it was in view. Those of a moment go together.
  const seen = [];
  const sendSeen = () => {
    if (seen.length) send(seen.splice(0));
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        seen.push(eventOf("impression", target, target.dataset.item));
      }
    },
    { threshold: 0.5 },
  );
  document.querySelectorAll(".card[data-item]").forEach((card) => observer.observe(card));
  setInterval(sendSeen, 1000);
  addEventListener("pagehide", sendSeen);

  const main = document.querySelector("main[data-view]");
  if (main) send([eventOf("view", main, main.dataset.view)]);

  document.addEventListener("click", (click) => {
    const card = click.target.closest(".card[data-item] a")?.closest(".card");
    if (card) send([eventOf("click", card, card.dataset.item)]);
  });
  document.addEventListener("submit", (submit) => {
    const { event, item } = submit.target.dataset;
    if (event) send([eventOf(event, submit.target, item)]);
  });
})();
