// Runs the arithmetic of the page on many sets of answers, and prints what the page would show, one JSON text a line.
import fs from "node:fs";

const [script, given] = process.argv.slice(2);
const { data, sets } = JSON.parse(fs.readFileSync(given, "utf8"));
(0, eval)(`${fs.readFileSync(script, "utf8")}\nglobalThis.weighbridgeAdvice = weighbridgeAdvice;`);
for (const answers of sets) console.log(JSON.stringify(globalThis.weighbridgeAdvice.changingView(data, answers)));
