// The body of a function that looks at the page as it is laid out, and returns a sentence for everything wrong with it:
// text beyond the page or its box, text on text, words torn apart, too little contrast, anything loaded.
const faults = [];
const wide = document.documentElement.clientWidth;
const SLACK = 1; // pixels that rounding may take
const CONTRAST = 4.5; // WCAG 2.2, 1.4.3

const isPicture = node => node.namespaceURI === "http://www.w3.org/2000/svg";
const quoted = node => JSON.stringify(node.textContent.trim().slice(0, 50));
const crosses = (a, b) =>
  a.left < b.right - SLACK && b.left < a.right - SLACK && a.top < b.bottom - SLACK && b.top < a.bottom - SLACK;
const isIn = (a, b) =>
  a.left >= b.left - SLACK && a.right <= b.right + SLACK && a.top >= b.top - SLACK && a.bottom <= b.bottom + SLACK;

// ------------------------------------------------------------------------------------------------------------- text

function* texts() { // one entry for each run of text that is seen: its element, and its lines as rectangles
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.textContent.trim() || element.closest("style, title, desc, head") || !element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter(line => line.width && line.height);
    if (lines.length) yield { element, node, lines };
  }
}

function scrolls(element) { // whether what is too wide for it can be scrolled to
  for (let box = element; box; box = box.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return true;
  }
  return false;
}

const seen = [...texts()];
for (const { element, node, lines } of seen) {
  const page = { left: 0, right: wide, top: 0, bottom: Infinity };
  const frame = isPicture(element) ? element.closest("svg").getBoundingClientRect() : page;
  const held = isPicture(element) || !scrolls(element);
  if (held && !lines.every(line => isIn(line, frame))) faults.push(`outside: ${quoted(node)}`);
  const word = node.textContent.trim();
  if (!/\s/.test(word) && word.length < 15 && lines.length > 1) faults.push(`torn: ${quoted(node)}`);
}
if (document.documentElement.scrollWidth > wide + SLACK) faults.push(`the page is ${document.documentElement.scrollWidth} wide, its window ${wide}`);

const lines = seen.flatMap(({ element, node, lines }) => lines.map(line => ({ element, node, line })));
lines.sort((a, b) => a.line.top - b.line.top);
lines.forEach((one, number) => {
  for (let next = number + 1; next < lines.length && lines[next].line.top < one.line.bottom; next++) {
    if (crosses(one.line, lines[next].line)) faults.push(`on each other: ${quoted(one.node)} and ${quoted(lines[next].node)}`);
  }
});

// ------------------------------------------------------------------------------------------------------------ boxes

const shapes = [...document.querySelectorAll("svg rect, svg circle")].map(shape => ({ shape, area: shape.getBoundingClientRect() }));
for (const { element, node, lines } of seen.filter(({ element }) => isPicture(element))) {
  for (const { shape, area } of shapes) {
    for (const line of lines) {
      if (crosses(line, area) && !isIn(line, area)) faults.push(`across the edge of ${shape.getAttribute("class")}: ${quoted(node)}`);
    }
  }
}

// --------------------------------------------------------------------------------------------------------- contrast

function channels(colour) { // [red, green, blue, alpha], the first three from 0 to 255
  const numbers = colour.match(/[\d.]+/g).map(Number);
  return colour.startsWith("color(srgb") ? [...numbers.slice(0, 3).map(one => one * 255), numbers[3] ?? 1] : [...numbers.slice(0, 3), numbers[3] ?? 1];
}
const over = ([r, g, b, alpha], ground) => [r, g, b].map((one, at) => one * alpha + ground[at] * (1 - alpha));

function luminance(colour) {
  const [red, green, blue] = colour.map(one => one / 255).map(one => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function groundOf(element, line) { // what the text stands on; the canvas is as the colour scheme has it
  const boxes = [];
  for (let box = element; box; box = box.parentElement) if (!isPicture(box)) boxes.unshift(box);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const follows = getComputedStyle(document.documentElement).colorScheme.includes("dark");
  let ground = dark && follows ? [28, 27, 34] : [255, 255, 255];
  for (const box of boxes) ground = over(channels(getComputedStyle(box).backgroundColor), ground);
  if (!isPicture(element)) return ground;
  for (const { shape, area } of shapes) {
    const fill = getComputedStyle(shape).fill;
    if (fill !== "none" && crosses(line, area) && shape.closest("svg") === element.closest("svg")) ground = over(channels(fill), ground);
  }
  return ground;
}

for (const { element, node, lines } of seen) {
  const style = getComputedStyle(element);
  let opacity = 1;
  for (let box = element; box; box = box.parentElement) opacity *= Number(getComputedStyle(box).opacity);
  const ink = channels(isPicture(element) ? style.fill : style.color);
  const ground = groundOf(element, lines[0]);
  const [lighter, darker] = [luminance(over([...ink.slice(0, 3), ink[3] * opacity], ground)), luminance(ground)].sort((a, b) => b - a);
  const contrast = (lighter + 0.05) / (darker + 0.05);
  if (contrast < CONTRAST) faults.push(`contrast ${contrast.toFixed(2)}: ${quoted(node)}`);
}

// ------------------------------------------------------------------------------------------------------------- loads

for (const { name } of performance.getEntriesByType("resource")) faults.push(`loads ${name}`);
return [...new Set(faults)];
