import { useLayoutEffect, useMemo, useRef } from "../hooks";
import { edges } from "../players";
import type { Size } from "../reading";
import type { View } from "../view";

/** Pixels along the longer side: lines stay thin however near the picture is, since they are drawn in the pane. */
const SHARP = 1280;
const HAIR = 1.4;
const HATCH = 36;

/** Lines between the players of a picture, around the one that is lit, and across those that are off. */
export function Outlines(props: {
	numbers: Uint16Array;
	size: Size;
	lit: number | null;
	off: Set<number>;
	view: View;
}) {
	const { numbers, size, lit, off, view } = props;
	const { height, width } = size;
	const canvas = useRef<HTMLCanvasElement>(null);
	const between = useMemo(
		() => pathOf(edges(size, (one, other) => numbers[one] !== numbers[other])),
		[numbers, size.height, size.width],
	);
	const around = useMemo(
		() => lit !== null && pathOf(edges(size, (a, b) => (numbers[a] === lit) !== (numbers[b] === lit))),
		[numbers, lit, size.height, size.width],
	);
	const gone = useMemo(() => areaOf(numbers, width, off), [numbers, width, off]);
	const scale = SHARP / Math.max(height, width);

	useLayoutEffect(() => {
		const frame = requestAnimationFrame(() => {
			const element = canvas.current;
			const context = element?.getContext("2d");
			if (!element || !context) return;
			const near = scale * view.zoom;
			context.lineJoin = context.lineCap = "round";
			context.setTransform(1, 0, 0, 1, 0, 0);
			context.clearRect(0, 0, element.width, element.height);
			context.setTransform(
				near,
				0,
				0,
				near,
				element.width / 2 - view.x * width * near,
				element.height / 2 - view.y * height * near,
			);
			const stroke = (path: Path2D, below: string, thick: number, above: string, thin: number) => {
				for (const [style, wide] of [
					[below, thick],
					[above, thin],
				] as const) {
					context.strokeStyle = style;
					context.lineWidth = wide / near;
					context.stroke(path);
				}
			};
			stroke(between, "#0006", 4, "#fffb", HAIR);
			context.save();
			context.clip(gone);
			stroke(hatch(size, HATCH / near), "#0005", 3, "#fff9", HAIR);
			context.restore();
			if (around) stroke(around, "#fff", 10, getComputedStyle(element).color, 5.5);
		});
		return () => cancelAnimationFrame(frame);
	}, [between, around, gone, view, scale, height, width]);

	return (
		<canvas
			ref={canvas}
			class="xai-outlines"
			width={Math.round(width * scale)}
			height={Math.round(height * scale)}
		/>
	);
}

function pathOf(lines: number[][]): Path2D {
	const path = new Path2D();
	for (const [x, y, toX, toY] of lines) {
		path.moveTo(x, y);
		path.lineTo(toX, toY);
	}
	return path;
}

/** The pixels of some players, row by row. */
function areaOf(numbers: Uint16Array, width: number, players: Set<number>): Path2D {
	const area = new Path2D();
	for (let i = 0, start = -1; i <= numbers.length; i++) {
		const within = i < numbers.length && players.has(numbers[i]);
		if (start >= 0 && (!within || i % width === 0)) {
			area.rect(start % width, Math.floor(start / width), i - start, 1);
			start = -1;
		}
		if (within && start < 0) start = i;
	}
	return area;
}

function hatch({ height, width }: Size, step: number): Path2D {
	const path = new Path2D();
	for (let at = -height; at < width; at += step) {
		path.moveTo(at, height);
		path.lineTo(at + height, 0);
	}
	return path;
}
