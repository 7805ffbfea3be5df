// Lists the operations of /openapi.json. Everything is written as text, never as markup.
"use strict";

function element(tag, text, className) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function operationNode(method, path, operation) {
  const details = element("details");
  details.id = operation.operationId;
  const summary = element("summary");
  summary.append(element("span", method.toUpperCase(), "method"), element("code", path), ` ${operation.summary || ""}`);
  details.append(summary);
  if (operation.description) details.append(element("p", operation.description));
  const parts = { parameters: operation.parameters, requestBody: operation.requestBody, responses: operation.responses };
  details.append(element("pre", JSON.stringify(parts, null, 2)));
  return details;
}

async function show() {
  const target = document.getElementById("operations");
  const answer = await fetch("/openapi.json");
  if (!answer.ok) {
    target.append(element("p", `openapi.json: ${answer.status}`));
    return;
  }
  const schema = await answer.json();
  for (const [path, operations] of Object.entries(schema.paths)) {
    for (const [method, operation] of Object.entries(operations)) target.append(operationNode(method, path, operation));
  }
  target.append(element("h2", "Schemas"));
  for (const [name, model] of Object.entries(schema.components.schemas || {})) {
    const details = element("details");
    details.append(element("summary", name), element("pre", JSON.stringify(model, null, 2)));
    target.append(details);
  }
}

show();
