"""A port of an Apache that speaks TLS, with a certificate of its own."""

import subprocess

from . import paths
from .ports import free_port


def tls_port(apache, protocols="h2 http/1.1"):
    """The lines of a configuration that open another port; it becomes apache.tls_port."""
    apache.tls_port = free_port()
    apache.error_log.allow("AH01873")  # there is no session cache
    key, certificate = apache.directory / "key.pem", apache.directory / "cert.pem"
    subprocess.run([paths.program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE",
                    "-days", "2", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, timeout=60)
    modules = paths.apache_modules_dir()
    return (f'LoadModule ssl_module "{modules}/mod_ssl.so"\n'
            f'LoadModule http2_module "{modules}/mod_http2.so"\n'
            f"Listen 127.0.0.1:{apache.tls_port}\n"
            f"<VirtualHost 127.0.0.1:{apache.tls_port}>\n"
            "    ServerName localhost\n"
            f"    Protocols {protocols}\n"
            "    SSLEngine On\n"
            f'    SSLCertificateFile "{certificate}"\n'
            f'    SSLCertificateKeyFile "{key}"\n'
            "</VirtualHost>\n")
