/**
 * The landing page: what the package is, links to the guides, and sections of the README.
 *
 * @module
 */
import { stringify } from "yaml";
import manifest from "../../package.json" with { type: "json" };
import { pages } from "../pages.js";
import { pathOnSite } from "./links.js";

/** Returns the page, from the README with links for the site. @throws Error if the README lacks a section */
export function landingPage(readme: string): string {
  const first = pages[0]?.file ?? "";
  const frontMatter = {
    layout: "home",
    title: manifest.name,
    titleTemplate: "CRI for Node.js",
    description: manifest.description,
    hero: {
      name: manifest.name,
      text: "CRI for Node.js",
      tagline: manifest.description,
      actions: [
        { theme: "brand", text: "Getting started", link: `/${pathOnSite(first)}` },
        { theme: "alt", text: "Guides", link: "/lifecycle" },
        { theme: "alt", text: "API reference", link: "/api/" },
      ],
    },
  };
  const sections = ["What you can do", "Three things to know"].map((title) => section(readme, title));
  return `---\n${stringify(frontMatter)}---\n\n${sections.join("\n")}`;
}

/** Returns the first program of the README and its output, which the landing page shows beside its title. */
export function firstProgram(readme: string): string {
  const blocks = section(readme, "A first program").match(/^```(ts|text)\n.*?^```$/gms) ?? [];
  if (blocks.length !== 2) throw new Error("A first program in README.md must have one program and its output.");
  return `${blocks.join("\n\n")}\n`;
}

/** Returns a section with its heading, up to the next heading of the same level. */
function section(markdown: string, title: string): string {
  const [, , rest] = markdown.match(new RegExp(`(^|\\n)(## ${title}\\n[^]*)`)) ?? [];
  if (rest === undefined) throw new Error(`README.md has no section "${title}", which the landing page shows.`);
  return `${rest.split(/\n(?=## )/)[0]}\n`;
}
