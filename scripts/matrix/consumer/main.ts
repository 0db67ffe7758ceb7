/** Runs the journey on the runtime that the environment names. */
import { journey } from "./journey.js";

journey(process.env.CRI_ENDPOINT ?? "", process.env.CRI_LOGS ?? "").then((result) => console.log(result));
