import * as esbuild from "esbuild";

const watch = process.argv.includes("--watch");

const context = await esbuild.context({
	absWorkingDir: import.meta.dirname,
	// One bundle for each widget: a saved notebook keeps it with the widget, so that it stays whole and small.
	entryPoints: ["src/*.tsx"],
	outdir: "../xai_widgets/static",
	bundle: true,
	format: "esm",
	// The browser is for style sheets: it is the last one that knows no nested rules.
	target: ["es2022", "firefox116"],
	inject: ["src/jsx.ts"],
	// The compiler checks tags by the types of the automatic runtime: its settings are for it alone.
	tsconfigRaw: {
		compilerOptions: { jsx: "react", jsxFactory: "jsxElement", jsxFragmentFactory: "jsxFragment" },
	},
	minify: !watch,
	charset: "utf8",
	sourcemap: watch && "inline",
	logLevel: "info",
});

if (watch) {
	await context.watch();
} else {
	await context.rebuild();
	await context.dispose();
}
