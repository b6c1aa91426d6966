// The API's description, to be tried out as whoever is signed in.

window.SwaggerUIBundle({
  url: "/api/v2/openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
