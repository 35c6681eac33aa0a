/** What the build makes of a tag: children as arguments take a fiftieth less of a bundle than the automatic runtime's. */
export { Fragment as jsxFragment, h as jsxElement } from "preact";
