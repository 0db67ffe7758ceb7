import { defineConfig } from "vitepress";
import { pathOnSite } from "../build/links.js";
import { groups } from "../pages.js";

export default defineConfig({
  title: "k8s-cri-client",
  lang: "en",
  srcDir: "./.cache/source",
  cacheDir: "./.cache/vite",
  outDir: "./dist",
  cleanUrls: false,
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: groups.map(({ title, pages }) => ({
      text: title,
      items: pages.map((page) => ({ text: page.title, link: `/${pathOnSite(page.file)}` })),
    })),
  },
});
