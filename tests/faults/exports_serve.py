"""`python -m tests.faults.exports_serve`: one service, as the environment says."""

import importlib
import os

import uvicorn


def main() -> None:
    name = os.environ["FAULTS_SERVE"]
    app = importlib.import_module(f"services.{name}.app")
    settings = importlib.import_module(f"services.{name}.settings").Settings()
    uvicorn.run(app.create(settings), port=settings.port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
