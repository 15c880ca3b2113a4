// Runs the script of the page on a document that holds nothing else, and prints one passage as it would be shown.
import fs from "node:fs";

class Node {
  constructor(tag) { Object.assign(this, { tag, parts: [], classList: { add() {} }, content: { children: [] }, value: "" }); }
  append(...parts) { this.parts.push(...parts.filter((part) => part !== "")); }
  addEventListener() {}
  setAttribute() {}
  get children() { return this.parts; }
  toString() { return `<${this.tag}>${this.parts.join("")}</${this.tag}>`; }
}
const [script, passage, spans] = process.argv.slice(2);
const root = new Node("html");
root.textContent = JSON.stringify({ strategies: [], passages: [], lists: [], questions: [] });
globalThis.document = { createElement: (tag) => new Node(tag), getElementById: () => root, documentElement: root };
const source = fs.readFileSync(script, "utf8").replace("  const passagesOf =", "  globalThis.marked = marked;\n  const passagesOf =");
(0, eval)(source);
console.log(String(marked(JSON.parse(passage), JSON.parse(spans))));
