/** Which part of a picture is in sight. Everything is in fractions, so that panes of any size share one view. */

export interface Spot {
	x: number;
	y: number;
}

/** A magnification and the spot of the picture in the middle of the pane. */
export interface View extends Spot {
	zoom: number;
}

export const WHOLE: View = { zoom: 1, x: 0.5, y: 0.5 };
export const CLOSEST = 16;

/** The spot of the picture at a spot of the pane. */
export function toPicture({ zoom, x, y }: View, inPane: Spot): Spot {
	return { x: x + (inPane.x - 0.5) / zoom, y: y + (inPane.y - 0.5) / zoom };
}

/** The spot of the pane at a spot of the picture. */
export function toPane({ zoom, x, y }: View, inPicture: Spot): Spot {
	return { x: 0.5 + (inPicture.x - x) * zoom, y: 0.5 + (inPicture.y - y) * zoom };
}

/** Nearer by a factor; what lies at `inPane` stays there. */
export function zoomBy(view: View, factor: number, inPane: Spot = { x: 0.5, y: 0.5 }): View {
	const zoom = clamp(view.zoom * factor, 1, CLOSEST);
	const { x, y } = toPicture(view, inPane);
	return within({ zoom, x: x - (inPane.x - 0.5) / zoom, y: y - (inPane.y - 0.5) / zoom });
}

/** Drag the picture by a part of the pane. */
export function pan({ zoom, x, y }: View, by: Spot): View {
	return within({ zoom, x: x - by.x / zoom, y: y - by.y / zoom });
}

/** The nearest view with a spot of the picture in sight, and some of what surrounds it. */
export function reveal({ zoom, x, y }: View, inPicture: Spot): View {
	const reach = 0.4 / zoom;
	return within({
		zoom,
		x: clamp(x, inPicture.x - reach, inPicture.x + reach),
		y: clamp(y, inPicture.y - reach, inPicture.y + reach),
	});
}

/** No view shows what lies beside the picture. */
function within({ zoom, x, y }: View): View {
	const half = 0.5 / zoom;
	return { zoom, x: clamp(x, half, 1 - half), y: clamp(y, half, 1 - half) };
}

function clamp(value: number, low: number, high: number): number {
	return Math.min(Math.max(value, low), high);
}
