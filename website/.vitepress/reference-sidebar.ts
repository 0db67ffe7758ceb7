import type { DefaultTheme } from "vitepress";
import { entryPoints } from "../build/reference/entry-points.js";
import { gitHubAnchor } from "./markdown.js";

/** The entry points of the package, with the sections of their pages. */
export const referenceSidebar: DefaultTheme.SidebarItem[] = [
  { text: "API reference", link: "/api/" },
  ...entryPoints.map(({ name, folder, sections }) => ({
    text: name.replace("k8s-cri-client/", "…/"),
    link: `/api/${folder}/`,
    items: [...sections.keys()].map((title) => ({ text: title, link: `/api/${folder}/#${gitHubAnchor(title)}` })),
  })),
];
