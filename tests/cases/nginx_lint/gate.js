// The program of the cases with njs: who is admitted.
function admitted(request) {
    return request.variables.ssl_client_verify === "SUCCESS" ? "yes" : "no";
}

export default { admitted };
