/** VitePress compiles Markdown to components of Vue. */
declare module "*.md" {
  import type { Component } from "vue";

  const component: Component;
  export default component;
}
