import Crypto
import DSBlockStores
import DSSupport
import Foundation
import Testing

/// Against `botocore.auth.S3SigV4Auth` 1.43.11 for the same requests; moto checks whole requests in
/// `Tests/Checks/test_block_stores.py`.
@Suite struct SignatureTests {
    @Test func headersAreBotocores() {
        let signer = SignatureV4(
            credentials: .init(accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "eu-central-1")
        let headers = signer.headers(
            method: "PUT", host: "s3.example.org:9000", path: "/bucket/a%20b/key.block",
            payloadDigest: SHA256.hash(data: Data("hello".utf8)).hexadecimal, seconds: 1_795_284_000)
        let values = Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) })
        #expect(values["x-amz-date"] == "20261121T180000Z")
        #expect(
            values["authorization"] == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/s3/aws4_request, "
                + "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=2fd38282f01355e324f233f15bcafc7f097b80ab8405cff09706dfdbe1edf635"
        )
        #expect(values["x-amz-security-token"] == nil)
    }

    @Test func sessionTokensAreSigned() {
        let signer = SignatureV4(
            credentials: .init(accessKey: "AKIDEXAMPLE", secretKey: "secret", sessionToken: "token=="),
            region: "us-east-1")
        let headers = signer.headers(
            method: "GET", host: "localhost", path: "/bucket/key", payloadDigest: SHA256.hash(data: Data()).hexadecimal,
            seconds: 1_700_000_000)
        let values = Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) })
        #expect(values["x-amz-security-token"] == "token==")
        #expect(
            values["authorization"] == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=b686965b30d3444154ee45e542b634956cbc5bb40829d2d2ae42bcb573ffc281"
        )
    }
}
