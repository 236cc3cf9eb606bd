// Comfort for those who have JavaScript. Every page works without it.
import { initAll } from "/assets/govuk-frontend.min.js";

initAll();
