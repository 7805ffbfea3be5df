// Starts Swagger UI. A token that is typed in stays in this page and is sent to this origin only.
"use strict";

window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    filter: true,
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: false,
    requestSnippetsEnabled: true,
    validatorUrl: null,
  });
});
