import { defineConfig } from "vitepress";
import { pathOnSite } from "../build/links.js";
import { repositoryAddress } from "../build/places.js";
import { groups } from "../pages.js";
import { linkExports } from "./export-links.js";
import { gitHubAnchor, scrollTables, unmarkEmptyHeaders } from "./markdown.js";
import { referenceSidebar } from "./reference-sidebar.js";

const base = process.env.DOCS_BASE ?? "/";

const guides = groups.map(({ title, pages }) => ({
  text: title,
  items: pages.map((page) => ({ text: page.title, link: `/${pathOnSite(page.file)}` })),
}));

export default defineConfig({
  title: "k8s-cri-client",
  lang: "en",
  base,
  srcDir: "./.cache/source",
  // The theme imports them.
  srcExclude: ["parts/**"],
  cacheDir: "./.cache/vite",
  outDir: "./dist",
  // Any static host serves files by their names.
  cleanUrls: false,
  // Pages share the data of the site, such as the sidebar.
  metaChunk: true,
  head: [["link", { rel: "icon", type: "image/svg+xml", href: `${base}icon.svg` }]],
  markdown: {
    // Themes whose colours have enough contrast.
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    anchor: { slugify: gitHubAnchor },
    config(md) {
      scrollTables(md);
      unmarkEmptyHeaders(md);
      linkExports(md);
    },
  },
  transformPageData({ relativePath, frontmatter }) {
    // The pages of the reference have no reading order.
    if (relativePath.startsWith("api/")) Object.assign(frontmatter, { prev: false, next: false });
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    externalLinkIcon: true,
    nav: [
      { text: "Guides", link: "/lifecycle" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Changelog", link: "/changelog" },
    ],
    socialLinks: [{ icon: "github", link: repositoryAddress, ariaLabel: "Repository" }],
    sidebar: { "/api/": referenceSidebar, "/": guides },
    notFound: { title: "Page not found", quote: "Search for it, or go to the start page.", linkText: "Start page" },
    footer: { message: "Apache-2.0" },
  },
});
