// Node 20 does not read TypeScript: esbuild joins each test into a throw-away folder first.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";

const here = import.meta.dirname;
const built = mkdtempSync(join(tmpdir(), "xai-widgets-"));
try {
	await esbuild.build({
		entryPoints: readdirSync(here)
			.filter((file) => file.endsWith(".test.ts"))
			.map((file) => join(here, file)),
		outdir: built,
		outExtension: { ".js": ".mjs" },
		bundle: true,
		format: "esm",
		platform: "node",
		sourcemap: "inline",
	});
	const files = readdirSync(built).map((file) => join(built, file));
	const { status } = spawnSync(process.execPath, ["--test", "--enable-source-maps", ...files], {
		stdio: "inherit",
	});
	process.exitCode = status ?? 1;
} finally {
	rmSync(built, { recursive: true });
}
