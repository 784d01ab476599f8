// Makes the calls of each line that it reads, a JSON list of [name, …parameters], with Stripe's SDK for Node; prints what came of
// them, a line for a line.
const { hostname: host, port, protocol } = new URL(process.env.POSTERN_ORIGIN);
const stripe = require("stripe")(process.env.POSTERN_KEY, { host, port, protocol: protocol.replace(":", "") });

async function made([name, ...parameters]) {
  const words = name.split(".");
  const resource = words.slice(0, -1).reduce((it, word) => it[word], stripe);
  try {
    return await resource[words.at(-1)](...parameters);
  } catch (error) {
    return { raised: error.constructor.name, code: error.code, param: error.param };
  }
}

(async () => {
  for await (const line of require("node:readline").createInterface({ input: process.stdin })) {
    const came = [];
    for (const call of JSON.parse(line)) came.push(await made(call));
    console.log(JSON.stringify(came));
  }
})();
