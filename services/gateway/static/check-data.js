// Comfort for those who have JavaScript. Every page works without it.
import { initAll } from "/assets/govuk-frontend.min.js";

initAll();

// What is under way is looked at again, without taking the reader away from where they are. Without JavaScript the
// whole page is loaded anew.
const UNDER_WAY = "[data-refresh]";

function lookAgain() {
  const shown = document.querySelector(UNDER_WAY);
  if (shown) setTimeout(replace, 1000 * Number(shown.dataset.refresh), shown);
}

async function replace(shown) {
  const answer = await fetch(location.href).catch(() => null);
  if (answer?.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector(UNDER_WAY);
    if (!fresh) return location.reload();
    shown.replaceWith(fresh);
  }
  lookAgain();
}

lookAgain();
