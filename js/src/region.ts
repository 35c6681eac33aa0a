/** A region of a picture, painted by hand or moved by keys: which pixels are in it, and what maps give to it. */
import type { Size } from "./reading";
import type { Spot } from "./view";

export interface Mask extends Size {
	/** 1 for each pixel that is in it. */
	bits: Uint8Array;
}

export function emptyMask({ height, width }: Size): Mask {
	return { height, width, bits: new Uint8Array(height * width) };
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

export function fromRuns(runs: number[], size: Size): Mask {
	const mask = emptyMask(size);
	for (let i = 0; i < runs.length; i += 2) mask.bits.fill(1, runs[i], runs[i] + runs[i + 1]);
	return mask;
}

/** With a stroke of a round brush from one spot to another, put in or taken out; a brush is never thinner than a pixel. */
export function stroked(mask: Mask, from: Spot, to: Spot, radius: number, on: boolean): Mask {
	const { height, width } = mask;
	const bits = mask.bits.slice();
	const [x0, y0, x1, y1] = [from.x * width, from.y * height, to.x * width, to.y * height];
	const reach = Math.max(radius, 0.71) ** 2;
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

interface Box {
	left: number;
	top: number;
	right: number;
	bottom: number;
}

/** The smallest box around a region, its right and bottom past the end; null for an empty one. */
export function boxOf({ height, width, bits }: Mask): Box | null {
	const box = { left: width, top: height, right: 0, bottom: 0 };
	for (let i = 0; i < bits.length; i++) {
		if (!bits[i]) continue;
		const [x, y] = [i % width, Math.floor(i / width)];
		box.left = Math.min(box.left, x);
		box.right = Math.max(box.right, x + 1);
		box.top = Math.min(box.top, y);
		box.bottom = Math.max(box.bottom, y + 1);
	}
	return box.right > 0 ? box : null;
}

export function rectangle(size: Size, { left, top, right, bottom }: Box): Mask {
	const mask = emptyMask(size);
	for (let y = top; y < bottom; y++) mask.bits.fill(1, y * size.width + left, y * size.width + right);
	return mask;
}

/**
 * By keys: the first one lays a rectangle in the middle, arrows move the rectangle around what is painted, with Shift
 * they size it. Null for other keys.
 */
export function pressed(mask: Mask, key: string, resize: boolean): Mask | null {
	const { height, width } = mask;
	const step = Math.max(1, Math.round(Math.max(height, width) / 56));
	const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[key];
	if (!by) return null;
	const box = boxOf(mask);
	if (!box) {
		const [left, top] = [Math.floor(width / 3), Math.floor(height / 3)];
		return rectangle(mask, { left, top, right: width - left, bottom: height - top });
	}
	const { left, top, right, bottom } = box;
	const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
	const dx = within(by[0], resize ? left + 1 - right : -left, width - right);
	const dy = within(by[1], resize ? top + 1 - bottom : -top, height - bottom);
	const moved = resize ? 0 : 1;
	return rectangle(mask, {
		left: left + moved * dx,
		top: top + moved * dy,
		right: right + dx,
		bottom: bottom + dy,
	});
}

/** The border of a region as an SVG path in pixels of the picture. */
export function border({ height, width, bits }: Mask): string {
	const at = (x: number, y: number) => x >= 0 && x < width && bits[y * width + x] === 1;
	const lines: string[] = [];
	for (let y = 0; y <= height; y++) {
		for (let x = 0; x <= width; x++) {
			if (at(x, y) !== at(x, y - 1)) lines.push(`M${x} ${y}h1`);
			if (at(x, y) !== at(x - 1, y)) lines.push(`M${x} ${y}v1`);
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
