/** A region of a picture, painted by hand or by keys: which pixels are in it, and what maps give to it. */
import type { Size } from "./reading";
import type { Spot } from "./view";

export interface Mask extends Size {
	/** 1 for each pixel that is in it. */
	bits: Uint8Array;
}

/** Start and length of each run of pixels in reading order: how a region travels. */
export function toRuns({ bits }: Mask): number[] {
	const runs: number[] = [];
	for (let i = 0; i < bits.length; i++) {
		if (!bits[i]) continue;
		const start = i;
		while (i < bits.length && bits[i]) i++;
		runs.push(start, i - start);
	}
	return runs;
}

export function fromRuns(runs: number[], { height, width }: Size): Mask {
	const bits = new Uint8Array(height * width);
	for (let i = 0; i < runs.length; i += 2) bits.fill(1, runs[i], runs[i] + runs[i + 1]);
	return { height, width, bits };
}

/** With a stroke of a round brush from one spot to another, put in or taken out; a brush is never thinner than a pixel. */
export function stroked(mask: Mask, from: Spot, to: Spot, radius: number, on: boolean): Mask {
	const { height, width } = mask;
	const bits = mask.bits.slice();
	const [x0, y0, x1, y1] = [from.x * width, from.y * height, to.x * width, to.y * height];
	// A pixel just at the edge is in it, whatever was rounded on the way.
	const reach = Math.max(radius, 0.71) ** 2 + 1e-6;
	const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
	for (let y = 0.5 - y0, i = 0; i < bits.length; y++) {
		for (let x = 0.5 - x0; x < width - x0; x++, i++) {
			const along = length ? Math.min(Math.max((x * (x1 - x0) + y * (y1 - y0)) / length, 0), 1) : 0;
			const apart = (x - along * (x1 - x0)) ** 2 + (y - along * (y1 - y0)) ** 2;
			if (apart <= reach) bits[i] = Number(on);
		}
	}
	return { height, width, bits };
}

/** The border of a region as an SVG path in pixels of the picture; edges that go on from one another are one line. */
export function border({ height, width, bits }: Mask): string {
	const at = (x: number, y: number) => x >= 0 && x < width && bits[y * width + x] === 1;
	const lines: string[] = [];
	// Where a line began that is not at its end: along this row, and down each column.
	let left = -1;
	const tops = new Int32Array(width + 1).fill(-1);
	for (let y = 0; y <= height; y++) {
		for (let x = 0; x <= width; x++) {
			if (at(x, y) === at(x, y - 1)) {
				if (left >= 0) lines.push(`M${left} ${y}H${x}`);
				left = -1;
			} else if (left < 0) left = x;
			if (at(x, y) === at(x - 1, y)) {
				if (tops[x] >= 0) lines.push(`M${x} ${tops[x]}V${y}`);
				tops[x] = -1;
			} else if (tops[x] < 0) tops[x] = y;
		}
	}
	return lines.join("");
}

export interface Claim {
	/** The sum of the values in the region. */
	sum: number;
	/** The part of all magnitudes that lies in it. */
	share: number;
}

/** What a map gives to a region; `total` is the sum of all its magnitudes. */
export function claimOf(values: Float64Array, runs: number[], total: number): Claim {
	let sum = 0;
	let size = 0;
	for (let i = 0; i < runs.length; i += 2) {
		const end = runs[i] + runs[i + 1];
		for (let at = runs[i]; at < end; at++) {
			sum += values[at];
			size += Math.abs(values[at]);
		}
	}
	return { sum, share: total > 0 ? size / total : 0 };
}
