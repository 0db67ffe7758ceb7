import { type Theme, useData } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { h, onMounted, watchEffect } from "vue";
import FirstProgram from "../../.cache/source/parts/first-program.md";
import "./style.css";

export default {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      "home-hero-after": () => h("div", { class: "first-program vp-doc" }, h(FirstProgram)),
    }),
  setup() {
    const { frontmatter } = useData();
    // VitePress gives the landing page no landmark for its content.
    onMounted(() =>
      watchEffect(() => {
        const content = document.getElementById("VPContent");
        if (frontmatter.value.layout === "home") content?.setAttribute("role", "main");
        else content?.removeAttribute("role");
      }),
    );
  },
} satisfies Theme;
