/* Keys and tokens made by other implementations (OpenSSL's command line, PyJWT 2.6.0, Pushpin, RFC
 * 7515), so that what is tested is not only that our code agrees with itself. The keys are of no
 * use anywhere. */
#ifndef GRIP_VECTORS_H
#define GRIP_VECTORS_H

/* The key of TOKEN_ES256. */
#define PEM_EC                                                                                     \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERfvD9PCDdSONcsIWyAKMBqMNERRy\n"                           \
    "htWLDqhkRO1BGUqIDv01lAucwFrt8cJUYXxBFR96ieYVQ1MJyuLi2S62nQ==\n"                               \
    "-----END PUBLIC KEY-----\n"

/* The key of TOKEN_RS256. */
#define PEM_RSA                                                                                    \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApiqwtmS5Cnbbas6YYuJ3\n"                           \
    "sgVZTCo+fI4Hrq5oJSedMyMbEMH19AQL/V9KLRSb8XwSvg4Ar4CJ93VioqxH5A44\n"                           \
    "DIpFZvAlSjubn2RTXlhBNKrnJNuSK/59NkQOqsJh4E6hKlJRrH1hFsp/TGaKxwt+\n"                           \
    "dKm5SowC/v2r4w+9b30SEqWE6SOfR2QS7qtwrAfAfwr86MSIoDcqs7ZRb9dmJ4qP\n"                           \
    "5z/ANGcQ/vy5Mr1hwjt6mbIGddFW1ivD8zYq5phfPwZJGpFG187rLwM94wsunZC2\n"                           \
    "+MdW9YtZa8ucJnzCd/TQgNoHQsT0WwtBkZnEhWBwRQ7sb3r0iAlFP0ly7sX8QCPb\n"                           \
    "qQIDAQAB\n"                                                                                   \
    "-----END PUBLIC KEY-----\n"

/* Too short. */
#define PEM_RSA_1024                                                                               \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDW8STQdIKaRJ9yfd8o9mvLg9L0\n"                           \
    "uHBndxeqJIDwq+ulxLxy8pbOsYEkNhUgDT0impEoY9mGvZq06YKu84o3U7qguPrP\n"                           \
    "emCZlMDHhlZYEUzgLGg9PAXsT+z8r3B9Vs1GSjanh0t51iuxE2ouhIwpwWQBlIFE\n"                           \
    "pkJvY201fkmN+E8C1QIDAQAB\n"                                                                   \
    "-----END PUBLIC KEY-----\n"

/* An EC key on another curve. */
#define PEM_P384                                                                                   \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEh1tcO0zVrh/Z6bY1CPOM3xvx5IlNFEhA\n"                           \
    "u+Td3QP39FoPqvIZHvEsQ8qCbfcRqZQbyvuIXI+rbRagth0X+B+OdxixHK+roFtH\n"                           \
    "lRd9Nt6712pTeRj1x0zKLhAKPHuw9phi\n"                                                           \
    "-----END PUBLIC KEY-----\n"

/* A curve of the same size that is not P-256. */
#define PEM_SECP256K1                                                                              \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAESmWWWKiVXgWsQOpCZYolblxEAJik53v3\n"                           \
    "tO0fZugso+9l11A0MbsPhGg3Vj5S/5xhrRn2u+2uu4R2VgYEdQUQUQ==\n"                                   \
    "-----END PUBLIC KEY-----\n"

/* A kind of key that GRIP does not use. */
#define PEM_ED25519                                                                                \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MCowBQYDK2VwAyEA6JB17ZCMq+9bHoXzfortpehdYRwRLeiRMzOaJErw3R8=\n"                               \
    "-----END PUBLIC KEY-----\n"

/* The key of TOKEN_RS256 in its older form. */
#define PEM_RSA_PKCS1                                                                              \
    "-----BEGIN RSA PUBLIC KEY-----\n"                                                             \
    "MIIBCgKCAQEApiqwtmS5Cnbbas6YYuJ3sgVZTCo+fI4Hrq5oJSedMyMbEMH19AQL\n"                           \
    "/V9KLRSb8XwSvg4Ar4CJ93VioqxH5A44DIpFZvAlSjubn2RTXlhBNKrnJNuSK/59\n"                           \
    "NkQOqsJh4E6hKlJRrH1hFsp/TGaKxwt+dKm5SowC/v2r4w+9b30SEqWE6SOfR2QS\n"                           \
    "7qtwrAfAfwr86MSIoDcqs7ZRb9dmJ4qP5z/ANGcQ/vy5Mr1hwjt6mbIGddFW1ivD\n"                           \
    "8zYq5phfPwZJGpFG187rLwM94wsunZC2+MdW9YtZa8ucJnzCd/TQgNoHQsT0WwtB\n"                           \
    "kZnEhWBwRQ7sb3r0iAlFP0ly7sX8QCPbqQIDAQAB\n"                                                   \
    "-----END RSA PUBLIC KEY-----\n"

/* A certificate of PEM_EC. */
#define PEM_CERTIFICATE                                                                            \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBcDCCARWgAwIBAgIUKLjZOxMWpb2rsLf8JyWUGmhpL+YwCgYIKoZIzj0EAwIw\n"                           \
    "DDEKMAgGA1UEAwwBeDAgFw0yNjExMjQyMzI4MTBaGA8yMTA5MDExMzIzMjgxMFow\n"                           \
    "DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEX7w/Twg3Uj\n"                           \
    "jXLCFsgCjAajDREUcobViw6oZETtQRlKiA79NZQLnMBa7fHCVGF8QRUfeonmFUNT\n"                           \
    "Ccri4tkutp2jUzBRMB0GA1UdDgQWBBT9JZjleSbrpkSu6FPltJSsJSbMvDAfBgNV\n"                           \
    "HSMEGDAWgBT9JZjleSbrpkSu6FPltJSsJSbMvDAPBgNVHRMBAf8EBTADAQH/MAoG\n"                           \
    "CCqGSM49BAMCA0kAMEYCIQC7quUagExLpsG30H4sIiT2cLMwCvJB+bLsNsDMNwvI\n"                           \
    "eQIhANTXA9TTmGs3oyQ7PxCZs/K6JtM3B8uKVZ7AZzfQXvlr\n"                                           \
    "-----END CERTIFICATE-----\n"

/* The private half of PEM_EC. */
#define PEM_EC_PRIVATE                                                                             \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MHcCAQEEILm+Ehjcua5umxD1HK74FdeATUNbDFq+Xu+7ex11tb2CoAoGCCqGSM49\n"                           \
    "AwEHoUQDQgAERfvD9PCDdSONcsIWyAKMBqMNERRyhtWLDqhkRO1BGUqIDv01lAuc\n"                           \
    "wFrt8cJUYXxBFR96ieYVQ1MJyuLi2S62nQ==\n"                                                       \
    "-----END EC PRIVATE KEY-----\n"

/* PEM_EC without its armour. */
#define B64_DER_EC                                                                                 \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERfvD9PCDdSONcsIWyAKMBqMNERRyhtWLDqhkRO1B"                 \
    "GUqIDv01lAucwFrt8cJUYXxBFR96ieYVQ1MJyuLi2S62nQ=="

/* The key that Fastly publishes: base64 of a PEM. */
#define B64_PEM_FASTLY                                                                             \
    "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFR"                 \
    "Y0RRZ0FFQ0tvNUExZWJ5RmNubVZWOFNFNU9uKzhHODFKeQpCalN2Y3J4NFZMZXRXQ2p1REFtcHBU"                 \
    "bzN4TS96ejc2M0NPVENnSGZwLzZsUGRDeVlqanFjK0dNN3N3PT0KLS0tLS1FTkQgUFVCTElDIEtF"                 \
    "WS0tLS0t"

/* {"iss":"pushpin","exp":1800000000}, key "changeme". */
#define TOKEN_HS256                                                                                \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJwdXNocGluIiwiZXhwIjoxODAwMDA"                 \
    "wMDAwfQ.Xd7dnCvZFeKbmLPpH2SQWOkIefoLQgnyYCu1JimEk8Y"

/* A token of Pushpin 1.36 with sig_key=changeme and sig_iss=pushpin; exp is 1795567416. */
#define TOKEN_PUSHPIN                                                                              \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3OTU1Njc0MTYsImlzcyI6InB1c2h"                 \
    "waW4ifQ.ARDOZv1jQ6yHj6l_94Frte0Gg5sTrMhY94SBDcuFRZQ"

/* {"iss":"fastly:abc","exp":1800000000}, the private half of PEM_EC. */
#define TOKEN_ES256                                                                                \
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJmYXN0bHk6YWJjIiwiZXhwIjoxODA"                 \
    "wMDAwMDAwfQ.wZPmtwkqdQp9lTd-019f3Of9x5PVK_-yDuk_BiDagXPNyZuVm-qqdUAj98KAE91U"                 \
    "Qj0J3MrSF7PIg6-n9WIoAg"

/* {"iss":"pushpin","exp":1800000000}, the private half of PEM_RSA. */
#define TOKEN_RS256                                                                                \
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJwdXNocGluIiwiZXhwIjoxODAwMDA"                 \
    "wMDAwfQ.pO_WYMvyujNc8VaMR5N4YRF1OcuT2uLaTOAyPRsPzR4hzCjX6F1RktccPbPl9DvxYIlS"                 \
    "YPKfZ5kVR-S30AtMCZMvRTYVjcERt68cYi3se20U7Fyc_8RQhVI6rgeXuh_rwXkwc_pfCj5hwWnC"                 \
    "1x-bnrWprfLeC--qIG4B_jySJ-lPfjYm9mbG97d3nT1x3EoWoyYvaNYrRqUzeFWYUaGhPpDtXU73"                 \
    "lp6CgFhsB5I8cssAje1Q23Z3jFHMSgPZwYAxXPSVz21gpUM49bls_p7W-BT8zeIis-m0Z4ZWyzY5"                 \
    "6poeJ1dvRrNcQy_Aq-lPJB-YkW9hhYHMlAG1SdSBWjt8ZA"

/* The same claims, "alg":"none", no signature. */
#define TOKEN_NONE                                                                                 \
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJwdXNocGluIiwiZXhwIjoxODAwMDAw"                 \
    "MDAwfQ."

/* The same claims, key "changeme", another HMAC. */
#define TOKEN_HS512                                                                                \
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJwdXNocGluIiwiZXhwIjoxODAwMDA"                 \
    "wMDAwfQ.8NcxIFIRhRTGZ61buL9P-LoAoYlhLuLFQVkebxU-X4bgZ7ZMa2hwH_5ebHuVwyrlUKjM"                 \
    "uPx4D9QYu8I4Iywnvg"

/* The same claims, key "changeme", with "crit":["x"]. */
#define TOKEN_CRIT                                                                                 \
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdLCJ0eXAiOiJKV1QiLCJ4IjoxfQ.eyJpc3MiOiJwd"                 \
    "XNocGluIiwiZXhwIjoxODAwMDAwMDAwfQ.KL4L9MyXzFcBWr2W1TEyUejDLJRLmuPjgQipCUTUaA"                 \
    "A"

/* The same claims, HS256 with the text of PEM_EC as its secret. */
#define TOKEN_CONFUSED                                                                             \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiAicHVzaHBpbiIsICJleHAiOiAxODA"                 \
    "wMDAwMDAwfQ.EeRNMgzD8KfUnYfo6pfECT-td_H1IW_6Jpq_OiGdlPg"

/* The same claims, "alg":"ES256" over an HMAC with "changeme". */
#define TOKEN_MISLABELLED                                                                          \
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiAicHVzaHBpbiIsICJleHAiOiAxODA"                 \
    "wMDAwMDAwfQ.meT24Xj-NB9w7pPTQNMaOeHDJYBkJjW2iTX41DXF29U"

/* RFC 7515, appendix A.1: the secret, base64url. */
#define RFC7515_A1_KEY                                                                             \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA"                 \
    "zZr1Z9CAow"

/* RFC 7515, appendix A.1: "iss":"joe", "exp":1300819380. */
#define RFC7515_A1_TOKEN                                                                           \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA"                 \
    "4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB9"                 \
    "2K27uhbUJU1p1r_wW1gFWFOEjXk"

/* RFC 7515, appendix A.3: the public key as PEM. */
#define RFC7515_A3_KEY                                                                             \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"                           \
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"                               \
    "-----END PUBLIC KEY-----\n"

/* RFC 7515, appendix A.3: the same claims, ES256. */
#define RFC7515_A3_TOKEN                                                                           \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA"                 \
    "6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4Ga"                 \
    "wxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

#endif
