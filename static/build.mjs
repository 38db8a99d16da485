// Bundles static/src/ into static/build/. Run by `npm run build`; `npm run watch` rebuilds on every change.
//
// Four files come out. File names stay plain: Django's manifest storage adds the content hashes.
//   app.js            htmx and every module of static/src/pages/
//   motion-player.js  the <motion-player> element with Three.js, for pages that show a motion
//   video.js          what the worker's page of pictures and videos adds to the player; no page of the site loads it
//   plotly.min.js     copied as published, for pages that plot
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const output = join(here, "build");
const modules = join(here, "..", "node_modules");

// `import "pages:all"` stands for one import of each file in src/pages, so that a new page needs no list to be edited.
const allPages = {
  name: "all-pages",
  setup(build) {
    const folder = join(source, "pages");
    build.onResolve({ filter: /^pages:all$/ }, () => ({ path: "all", namespace: "pages" }));
    build.onLoad({ filter: /.*/, namespace: "pages" }, async () => {
      const names = await readdir(folder).catch(() => []);
      const scripts = names.filter((name) => name.endsWith(".js")).sort();
      return {
        contents: scripts.map((name) => `import ${JSON.stringify(`./${name}`)};`).join("\n"),
        resolveDir: folder,
        watchDirs: names.length ? [folder] : [source],
      };
    });
  },
};

const options = {
  entryPoints: {
    app: join(source, "app.js"), "motion-player": join(source, "motion-player", "index.js"), video: join(source, "video", "index.js"),
  },
  outdir: output,
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  legalComments: "linked",
  loader: { ".css": "text" },
  plugins: [allPages],
  logLevel: "info",
};

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
await cp(join(modules, "plotly.js-basic-dist-min", "plotly-basic.min.js"), join(output, "plotly.min.js"));

if (process.argv.includes("--watch")) {
  const context = await esbuild.context({ ...options, sourcemap: "inline" });
  await context.watch();
} else {
  await esbuild.build(options);
}
