"""What the services of one installation are told of each other."""

import json
from collections.abc import Mapping

from services.cli.catalogue import SERVICES, WITH_DATABASE
from shared.database.provision import ServiceDatabase


def database_name(service: str) -> str:
    return f"check_data_{service}"


def told_each(
    made: Mapping[str, str],
    urls: Mapping[str, str],
    redis_url: str,
    databases: Mapping[str, ServiceDatabase],
) -> dict[str, dict[str, str]]:
    """What each service is told of the others and of its servers, and its secrets; wherever they are.

    made: secrets, as `new_secrets` names them. urls: where each service is reached by the others.
    """
    service_secrets = {service: made[f"service:{service}"] for service in SERVICES}
    common = {
        "CHECK_DATA_ENVIRONMENT": "development",
        "CHECK_DATA_REDIS_URL": redis_url,
        "CHECK_DATA_FEED_URLS": json.dumps({service: urls[service] for service in WITH_DATABASE}),
        **{f"CHECK_DATA_{service.upper()}_URL": url for service, url in urls.items()},
    }
    own: dict[str, dict[str, str]] = {
        "auth": {
            "CHECK_DATA_SERVICE_SECRETS": json.dumps(service_secrets),
            "CHECK_DATA_LINK_KEYS": json.dumps([made["link_key"]]),
            "CHECK_DATA_SIGNING_KEYS": json.dumps([made["signing_key"]]),
            "CHECK_DATA_SECOND_FACTOR_KEYS": json.dumps([made["second_factor_key"]]),
        },
        "participants": {
            "CHECK_DATA_READER_DATABASE_URL": databases["participants"].extra_urls["participants_reader"]
        },
        "gateway": {"CHECK_DATA_CSRF_KEYS": json.dumps([made["form_key"]])},
    }
    return {
        service: {
            **common,
            "CHECK_DATA_SERVICE_SECRET": service_secrets[service],
            **(
                {
                    "CHECK_DATA_DATABASE_URL": databases[service].service_url,
                    "CHECK_DATA_OWNER_DATABASE_URL": databases[service].owner_url,
                }
                if service in databases
                else {}
            ),
            **own.get(service, {}),
        }
        for service in SERVICES
    }
