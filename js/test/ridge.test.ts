import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, refit } from "../src/ridge";
import type { Equations } from "../src/state";

const PLAYERS = 11;
const WEIGHTS = Array.from({ length: PLAYERS }, (_, i) => (i % 2 ? -1 : 1) * (1 + i / 3));

/** All masks of the players, scored by a linear model of them and what else a test adds. */
function equations(more: (mask: number) => number, fraction = 0): Equations {
	const rows = 2 ** PLAYERS;
	const bits = new Uint8Array(2 * rows);
	const scores = new Float32Array(rows);
	for (let mask = 0; mask < rows; mask++) {
		const present = WEIGHTS.map((_, i) => (mask >> i) & 1);
		present.forEach((one, i) => {
			bits[2 * mask + (i >> 3)] |= one << (7 - (i & 7));
		});
		scores[mask] = present.reduce((sum, one, i) => sum + one * WEIGHTS[i], 5) + more(mask);
	}
	return {
		game: 1,
		rows,
		bits: new DataView(bits.buffer),
		scores: new DataView(scores.buffer),
		middle: 4,
		rarity: Array(PLAYERS + 1).fill(1),
		fraction,
	};
}

function near(one: Float64Array | number[], other: number[], within: number) {
	assert.equal(one.length, other.length);
	one.forEach((value, i) => {
		assert.ok(Math.abs(value - other[i]) < within, `${value} is not ${other[i]}`);
	});
}

test("a linear score gives its coefficients, whatever the kernel", () => {
	const all = drawn(equations(() => 0));
	for (const width of [0.15, 0.25, 2]) {
		const fit = refit(all, width, 0);
		near(fit.weights, WEIGHTS, 1e-4);
		assert.ok(Math.abs(fit.intercept - 5) < 1e-4);
		assert.ok(fit.explained > 0.999999);
		near(fit.error ?? [], Array(PLAYERS).fill(0), 1e-4);
	}
});

test("ridge pulls weights to zero, and a wide kernel counts more masks", () => {
	const all = drawn(equations(() => 0));
	const [free, held] = [0, 1e6].map((alpha) => refit(all, 0.25, alpha));
	assert.ok(Math.max(...held.weights.map(Math.abs)) < 0.01 * Math.max(...free.weights.map(Math.abs)));
	assert.ok(refit(all, 2, 0).effective > 2 * refit(all, 0.1, 0).effective);
});

test("what is not linear lowers R squared and has an error, unless all masks were seen", () => {
	const parity = (mask: number) => 12 * (mask.toString(2).split("1").length % 2);
	const fit = refit(drawn(equations(parity)), 0.5, 0);
	assert.ok(fit.explained < 0.9);
	assert.ok(fit.error?.every((error) => error > 0.001));
	near(refit(drawn(equations(parity, 1)), 0.5, 0).error ?? [], Array(PLAYERS).fill(0), 1e-12);
});

test("of too few masks no error is told", () => {
	const few = { ...equations(() => 0), rows: 12, bits: new DataView(new ArrayBuffer(24)) };
	few.scores = new DataView(new ArrayBuffer(48));
	assert.equal(refit(drawn(few), 0.25, 1).error, null);
});

test("a fit takes less than a frame, of as many masks as the sliders give", (context) => {
	for (const [rows, players] of [
		[8192, 60],
		[8192, 190],
	]) {
		const bits = new Uint8Array(rows * Math.ceil(players / 8));
		for (let at = 0, state = 1; at < bits.length; at++) {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			bits[at] = state >>> 24;
		}
		const all = drawn({
			game: 1,
			rows,
			bits: new DataView(bits.buffer),
			scores: new DataView(Float32Array.from({ length: rows }, (_, i) => Math.sin(i)).buffer),
			middle: 0,
			rarity: Array(players + 1).fill(1),
			fraction: 0,
		});
		// Of the processor's time: others may use it as well.
		const taken = Array.from({ length: 31 }, (_, i) => {
			const start = process.cpuUsage();
			refit(all, 0.1 + i / 20, 1);
			const { user, system } = process.cpuUsage(start);
			return (user + system) / 1000;
		}).sort((a, b) => a - b);
		const [median, worst] = [taken[15], taken[30]];
		context.diagnostic(
			`${rows} masks of ${players}: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`,
		);
		assert.ok(median < 16, `a fit takes ${median} ms`);
	}
});
