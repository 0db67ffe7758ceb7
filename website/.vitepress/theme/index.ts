import { type Theme, useData } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { onMounted, watchEffect } from "vue";
import "./style.css";

export default {
  extends: DefaultTheme,
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
