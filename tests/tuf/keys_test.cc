// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "probes/tuf/digest.h"
#include "probes/tuf/public_key.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kMessage = "canonical bytes";

// Made by `openssl pkeyutl -sign` and `openssl dgst -sign` over kMessage.
constexpr std::string_view kEd25519Key =
    "2eca83e288ca518bbe731f63755d74fda73b306fbad1ea8645a070dacef2a33f";
constexpr std::string_view kEd25519Signature =
    "ea60d176ce7c3f58ddf783c07faad0096030147024dca443e43338966a952dced1f5edfd05c60ae3dee86857"
    "13e956562377b84107ed7f996eb6164a62bc8a09";
constexpr std::string_view kP256Key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERx6VJwxj4cO0uhqDxC9ES5nbMBy8\n"
    "CLjK5puDSYmTibEZDKRoYjopBkIYAm0OIyHMGvrRgDuLyShsovvB1mF/FQ==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kP256Point =
    "04471e95270c63e1c3b4ba1a83c42f444b99db301cbc08b8cae69b8349899389b1190ca468623a2906421802"
    "6d0e2321cc1afad1803b8bc9286ca2fbc1d6617f15";
constexpr std::string_view kP256Compressed =
    "-----BEGIN PUBLIC KEY-----\n"
    "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADRx6VJwxj4cO0uhqDxC9ES5nbMBy8\n"
    "CLjK5puDSYmTibE=\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kP256Hybrid =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAHRx6VJwxj4cO0uhqDxC9ES5nbMBy8\n"
    "CLjK5puDSYmTibEZDKRoYjopBkIYAm0OIyHMGvrRgDuLyShsovvB1mF/FQ==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kP256CompressedPoint =
    "03471e95270c63e1c3b4ba1a83c42f444b99db301cbc08b8cae69b8349899389b1";
constexpr std::string_view kP256Signature =
    "3045022100cb43691ddd91088890e6a0210cf1d4b9c1b047781a235793d27bc87408e60915022014152a6372"
    "9083b02db8a44a9dea5eff79a8f2edd8de444b5abd5e49005238c2";
constexpr std::string_view kP384Key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEbIPk+QJU660j057mKKpJBQVvpXMPyDfz\n"
    "3W8j9THwLLBBWCJ8K+OpvjzecNoKKl/NyT5x8Rjprk+Y1ApurZ4iYj4ZDXTdo1am\n"
    "3Y6/lVXCG7lRxhVT4j4mA8RJ6lwl0X4t\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kP384Signature =
    "306402302535787e67ed23cd34ade23af59267dbac9f3ce9371b0122ed3369e7da075dd2e499bb81c1f8128e"
    "579f2f1c767acc7e02300a2b7d6354f383f046a39755fa681232ef54607ada2bfbb0d77c58ea420f2d821629"
    "837abd41ede0cb59ce6d1ef4a115";
constexpr std::string_view kRsaKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAutFc/UPcHlTbz1dvylw+\n"
    "9kLeVv78P2wMvcr9j2RuyFQ7rB9eusEc7Gz+UvvX49zLT9e2Ri2kww4/xMypEic0\n"
    "E+ro4oHpK3rykJKo0c5GF6FubzNw3Q957SZilMgYxgPvEqtyRq/0GlrSXioggf31\n"
    "Bhf6+/pGIGq/ip8y4eYMOf7NCqC/xOKr0qckmvYawE9CwnR6ezD6WlZreub2yn4e\n"
    "Ves9lJ66I0HzAHjgPogMTJZz5Mib67grXQ9eztdZM8zWJXPGYq41rpxbgfsT4mNl\n"
    "PQC6KukOKn+nhx6u+UCP3rABkoqs+1SbxyMbA/tgI+unMkOWKp8cFd02TwCn9Fx/\n"
    "jQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kRsaPkcs1Key =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAutFc/UPcHlTbz1dvylw+9kLeVv78P2wMvcr9j2RuyFQ7rB9eusEc\n"
    "7Gz+UvvX49zLT9e2Ri2kww4/xMypEic0E+ro4oHpK3rykJKo0c5GF6FubzNw3Q95\n"
    "7SZilMgYxgPvEqtyRq/0GlrSXioggf31Bhf6+/pGIGq/ip8y4eYMOf7NCqC/xOKr\n"
    "0qckmvYawE9CwnR6ezD6WlZreub2yn4eVes9lJ66I0HzAHjgPogMTJZz5Mib67gr\n"
    "XQ9eztdZM8zWJXPGYq41rpxbgfsT4mNlPQC6KukOKn+nhx6u+UCP3rABkoqs+1Sb\n"
    "xyMbA/tgI+unMkOWKp8cFd02TwCn9Fx/jQIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";
// An exponent of 72 bits.
constexpr std::string_view kLongExponentKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBKTANBgkqhkiG9w0BAQEFAAOCARYAMIIBEQKCAQEArUXyPTsaEd9Yf9KAO6ts\n"
    "OY2INIp+7Y0U8G0/73AZZqDDgeiPOMDI/YcSuLwHbzeHudF54GwP1PX4EwxCN3MO\n"
    "36+9Z/lhlpnP4ZiK2fBsFEoCW0E/ipoCHqZIp90Gg565Bbbm4wfUvtxRQxGT5sPz\n"
    "ORorjx/x/UKil1XUwTqQKTHNRH41uLbY/kQuPUNyBOUtsiIaWACKBabEZHFZwyTJ\n"
    "hZuBDnZuydKGY8qCjdX0s7LksGzmB0HHqHzkLIIYBy6MNb+ZLcnpxhZhLnaWps7M\n"
    "G3jlEGFzEdijws5vRH7U1XseL+uJQUw0PBAnxNHDhrvEzWE+MNjxat+Rt1hKImWx\n"
    "9QIKAPXCzXiaOAIIqQ==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kRsaSignature32 =
    "597be4ac322daf9e25fee27bb69aa0e8335e65e3e28fee56fcc27cfd0085ac182f8eb5069d916cd2f8e33d09"
    "10acf6c1c5bbb04cffac0e26b9715eaab588e66cc7a763a52573239e46483a6d2593df2e8c2dd6a3ddbd938b"
    "4ad439ce2581ed7085b399df88e4ac77e5b6e983d56d12a111afd304202f61412019ae4a17fac2d96cf50965"
    "e3367b021ef8c07a9ae5c7ff7c0fd87562d7f47845eeea00c26aea9b9c21bd88def907f53fe05f160045452e"
    "8d5da03fd30e6bf24ea7a3e6de26d0cb71015137e47af7595eb95c4bc14cf6640480ff1307c275b6385bc1bf"
    "32d7f06e24f2398045e40c2d25cf59a598da564e8b0ded3b4013cc22fec8bb52af36eb92";
constexpr std::string_view kRsaSignature64 =
    "8b6a6267821738c3a218b215dc831ec9d947f099fe1f2288d820617beb2258b5b4da7d3509b926f348404b6d"
    "3cd1479ecb63add6fd030d863a7d71ec32156594ba4af724e87cb74daedb6a7b967110f5ed2872a68d279bdf"
    "44a64a027000398f08465367625c2bf2a6df0d4edac27de98e1f0f7cdbbf57daca07917d448e66a3899cdaed"
    "7edb71997caf53f57b364189522c81aa3f28325b3fd946ae6bd3e51ec0889e8e0a5b1fd7e4ab416c3f1ca739"
    "e97cea7ac337349979625e6cea33754cbc08d7b640b57ed92f3b5cb1b4b5455a5e3d367b6e9851392c573afa"
    "e08f88247ec4524f23f47a3cd0d6acfff236962157e0f15694fc8390ba600e94b74292e0";
constexpr std::string_view kRsaSignature0 =
    "b158c33e89f4de238e1cf4e5b99b7b7d59d7a9df17755b3fe040bab94918cc17c3d45b0da834fa36cf42535b"
    "c9f86ed98199eaa14b7b2284de80e5266d9ab07fe3dc76ca35086f8fa616beefdac32290171ea57d5ff7e094"
    "e3139ab24ac3bcd222807738bd3a688d76d523713292713e98aa639c66476c629b86d486d2c7f84a4b601e8c"
    "425c067e893b65555659e3c9b54ed66b7bcbb24544f65cf050a5a39249caebe202484600ed6c7e8dc0dd28a5"
    "7ee29bcc44a0ac28f9e905c5f3d4832f8a8ef51d0ecd597f4bedaa79ddc20f06398f2e1f7983eb588c579dc4"
    "2131b55e4f8ffe78dcf2d77b6bd2c840551a655d33b088f2e5120b8aed1396df32e6e146";
constexpr std::string_view kRsaPkcs1Signature =
    "9db3406922d2bf9a0e342fa1f6840fa2efafc9456b37cca7ab8de7cc5fcd2b5fb0c191e202759861c000159b"
    "fa562355652bd0fbfdb69bcca59de179bdf0a85b1e650c810cc81d03b8ccea56f8bd00b18716259498e2c144"
    "d631a6701876931dda0f08c7ef9f71fe27194cac4ed29b61322d0b2c9f1f14575c1779211b75de628c2e1b84"
    "9a7e9d8039674b88ae993d2af652ab97f14a321149be6540e489899d3a106ece5a9d1563e0c7f95f00e5be80"
    "a29ebe030c6c44e4c3b0a6e35c1cf90e735e9cc94ba33ef370a67722c16455015badbba630006f48e6c3e375"
    "77fd999cdd643ecaf82c84757ce4b67a0aab91a92a1e72f63bea3c560115be2c5743794b";
constexpr std::string_view kSmallRsaKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC55O3sku0dCxuFQll3RJ3K+lty\n"
    "bHQRGwP2jvYObKxYNN4Ei3494HEdWGuKJTGTkBXSnNzTP8ATtESy3zNwcqCSeIsU\n"
    "ss3EXcntOOBe7JtRlzYeab266X8RQOGEsoUjHtZnWxnWquX63B1h4JKcTSJPdvv0\n"
    "83AxPlSbdM9nOlvItQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

// A key and the document that it points into.
struct ReadKey {
  std::shared_ptr<json::Document const> document;
  Key key;
};

Result<ReadKey> read_key(std::string const& object, std::string const& id = "id") {
  ReadKey read;
  BOOST_OUTCOME_TRY(read.document, json::Document::parse(object, "root", {}));
  BOOST_OUTCOME_TRY(read.key, parse_key(id, read.document->root(), "root"));
  read.key.id = {};  // the text of a temporary
  return read;
}

PublicKey decoded(std::string const& object) { return decode_key(read_key(object).value().key); }

SignatureCheck check(PublicKey const& key, std::string_view signature,
                     std::string_view bytes = kMessage) {
  Message message(bytes);
  return check_signature(key, signature, message);
}

std::string object(std::string const& type, std::string const& scheme, std::string_view text) {
  return "{\"keytype\":" + json_quote(type) + ",\"scheme\":" + json_quote(scheme) +
         ",\"keyval\":{\"public\":" + json_quote(text) + "}}";
}

struct Vector {
  std::string name;
  std::string type;
  std::string scheme;
  std::string_view key;
  std::string_view signature;
  bool unusual_salt = false;

  friend std::ostream& operator<<(std::ostream& out, Vector const& vector) {
    return out << vector.name;
  }
};

class OpensslSignature : public ::testing::TestWithParam<Vector> {};

TEST_P(OpensslSignature, Verifies) {
  Vector const& vector = GetParam();
  PublicKey const key = decoded(object(vector.type, vector.scheme, vector.key));
  ASSERT_TRUE(key.usable()) << key.problem;

  SignatureCheck const checked = check(key, vector.signature);

  EXPECT_EQ(checked.state, SignatureState::valid);
  EXPECT_EQ(checked.unusual_salt, vector.unusual_salt);
}

TEST_P(OpensslSignature, VerifiesInUpperCase) {
  Vector const& vector = GetParam();
  PublicKey const key = decoded(object(vector.type, vector.scheme, vector.key));
  std::string upper(vector.signature);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });

  EXPECT_EQ(check(key, upper).state, SignatureState::valid);
}

TEST_P(OpensslSignature, DoesNotVerifyOtherBytes) {
  Vector const& vector = GetParam();
  PublicKey const key = decoded(object(vector.type, vector.scheme, vector.key));

  EXPECT_EQ(check(key, vector.signature, "canonical Bytes").state, SignatureState::invalid);
}

TEST_P(OpensslSignature, DoesNotVerifyWhenLongerOrShorter) {
  Vector const& vector = GetParam();
  PublicKey const key = decoded(object(vector.type, vector.scheme, vector.key));
  std::string const longer = std::string(vector.signature) + "00";
  std::string const shorter(vector.signature.substr(2));

  EXPECT_EQ(check(key, longer).state, SignatureState::invalid);
  EXPECT_EQ(check(key, shorter).state, SignatureState::invalid);
}

INSTANTIATE_TEST_SUITE_P(
    Schemes, OpensslSignature,
    ::testing::Values(
        Vector{"ed25519", "ed25519", "ed25519", kEd25519Key, kEd25519Signature},
        Vector{"ecdsa_p256", "ecdsa", "ecdsa-sha2-nistp256", kP256Key, kP256Signature},
        Vector{"ecdsa_p256_legacy_type", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", kP256Key,
               kP256Signature},
        Vector{"ecdsa_p256_hex_point", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", kP256Point,
               kP256Signature},
        Vector{"ecdsa_p256_compressed", "ecdsa", "ecdsa-sha2-nistp256", kP256Compressed,
               kP256Signature},
        Vector{"ecdsa_p256_hybrid", "ecdsa", "ecdsa-sha2-nistp256", kP256Hybrid, kP256Signature},
        Vector{"ecdsa_p256_compressed_hex", "ecdsa", "ecdsa-sha2-nistp256", kP256CompressedPoint,
               kP256Signature},
        Vector{"rsa_pkcs1_pem", "rsa", "rsassa-pss-sha256", kRsaPkcs1Key, kRsaSignature32},
        Vector{"rsa_pkcs1_padding", "rsa", "rsa-pkcs1v15-sha256", kRsaKey, kRsaPkcs1Signature},
        Vector{"ecdsa_p384", "ecdsa", "ecdsa-sha2-nistp384", kP384Key, kP384Signature},
        Vector{"rsa_salt_32", "rsa", "rsassa-pss-sha256", kRsaKey, kRsaSignature32},
        Vector{"rsa_salt_64", "rsa", "rsassa-pss-sha256", kRsaKey, kRsaSignature64, true},
        Vector{"rsa_salt_0", "rsa", "rsassa-pss-sha256", kRsaKey, kRsaSignature0, true}),
    [](auto const& info) { return info.param.name; });

TEST(Signature, OfTheWrongShapeIsNamed) {
  PublicKey const key = decoded(object("ed25519", "ed25519", kEd25519Key));

  EXPECT_EQ(check(key, "").state, SignatureState::empty);
  EXPECT_EQ(check(key, "zz").state, SignatureState::malformed);
  EXPECT_EQ(check(key, "abc").state, SignatureState::malformed);
  EXPECT_EQ(check(key, "abcd").state, SignatureState::invalid);
}

TEST(Signature, OfRsaWithPkcs1PaddingIsInvalid) {
  PublicKey const key = decoded(object("rsa", "rsassa-pss-sha256", kRsaKey));

  EXPECT_EQ(check(key, kRsaPkcs1Signature).state, SignatureState::invalid);
}

struct UnusableCase {
  std::string name;
  std::string object;
  std::string problem;

  friend std::ostream& operator<<(std::ostream& out, UnusableCase const& test) {
    return out << test.name;
  }
};

class MalformedKey : public ::testing::TestWithParam<UnusableCase> {};

TEST_P(MalformedKey, IsKeptWithItsProblem) {
  PublicKey const key = decoded(GetParam().object);

  EXPECT_FALSE(key.usable());
  EXPECT_EQ(key.fitness, Fitness::malformed);
  EXPECT_EQ(key.problem, GetParam().problem);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, MalformedKey,
    ::testing::Values(
        UnusableCase{"type_of_another_scheme", object("rsa", "ed25519", kEd25519Key),
                     R"(keytype "rsa", scheme "ed25519" do not belong together)"},
        UnusableCase{"no_public", R"({"keytype":"ed25519","scheme":"ed25519","keyval":{}})",
                     "keyval has no public key"},
        UnusableCase{"short_ed25519", object("ed25519", "ed25519", "abcd"),
                     "an ed25519 key is 64 hexadecimal digits"},
        UnusableCase{"rsa_key_under_ecdsa", object("ecdsa", "ecdsa-sha2-nistp256", kRsaKey),
                     "not a key on one of the curves P-224, P-256, P-384, P-521"},
        UnusableCase{"ecdsa_key_under_rsa", object("rsa", "rsassa-pss-sha256", kP256Key),
                     "not an RSA key"},
        UnusableCase{"small_rsa", object("rsa", "rsassa-pss-sha256", kSmallRsaKey),
                     "RSA keys have 2048 bits or more, this one 1024"},
        UnusableCase{"no_pem", object("rsa", "rsassa-pss-sha256", "hello"), "not a PEM public key"},
        UnusableCase{"encrypted_pem",
                     object("rsa", "rsassa-pss-sha256",
                            "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
                            "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                            "AAAA\n-----END PUBLIC KEY-----\n"),
                     "its public key does not decode"},
        UnusableCase{"point_off_the_curve",
                     object("ecdsa", "ecdsa-sha2-nistp256", "04" + std::string(128, '1')),
                     "not a point of the curve"},
        UnusableCase{"point_of_another_length", object("ecdsa", "ecdsa-sha2-nistp384", kP256Point),
                     "not a point of the curve"}),
    [](auto const& info) { return info.param.name; });

class UnsupportedKey : public ::testing::TestWithParam<UnusableCase> {};

TEST_P(UnsupportedKey, IsNeverCalledBad) {
  PublicKey const key = decoded(GetParam().object);

  EXPECT_FALSE(key.usable());
  EXPECT_EQ(key.fitness, Fitness::unsupported);
  EXPECT_EQ(key.problem, GetParam().problem);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, UnsupportedKey,
    ::testing::Values(
        UnusableCase{"unknown_type", object("sphincs", "sphincs-shake-128s", "00"),
                     R"(keytype "sphincs", scheme "sphincs-shake-128s" are not supported by )"
                     "canaryd"},
        UnusableCase{"unknown_scheme", object("rsa", "pgp+rsa-pkcsv1.5", kRsaKey),
                     R"(keytype "rsa", scheme "pgp+rsa-pkcsv1.5" are not supported by canaryd)"},
        UnusableCase{"no_public_of_unknown",
                     R"({"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{"identity":"a"}})",
                     R"(keytype "sigstore-oidc", scheme "Fulcio" are not supported by canaryd)"},
        UnusableCase{"long_text", object("rsa", "rsassa-pss-sha256", std::string(8'193, 'a')),
                     "a public key of 8193 bytes; canaryd reads up to 8192"},
        UnusableCase{"long_exponent", object("rsa", "rsassa-pss-sha256", kLongExponentKey),
                     "an RSA exponent of 72 bits; canaryd verifies up to 64"}),
    [](auto const& info) { return info.param.name; });

TEST(UnsupportedKey, OfMoreBitsThanTheBudget) {
  FileBudget budget;
  budget.rsa_bits = 2'047;

  ReadKey const read = read_key(object("rsa", "rsassa-pss-sha256", kRsaKey)).value();
  PublicKey const key = decode_key(read.key, budget);

  EXPECT_EQ(key.fitness, Fitness::unsupported);
  EXPECT_EQ(key.problem, "an RSA key of 2048 bits; canaryd verifies up to 2047");
}

// One public key has one fingerprint, whoever wrote it.
TEST(Fingerprint, IsThatOfTheKeyNotOfItsText) {
  auto const p256 = [](std::string_view text) {
    return decoded(object("ecdsa", "ecdsa-sha2-nistp256", text)).fingerprint;
  };
  std::string const whole = p256(kP256Key);
  std::string crlf(kP256Key);
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != std::string::npos; at += 2) {
    crlf.insert(at, "\r");
  }
  ASSERT_NE(whole, "");
  EXPECT_EQ(p256(kP256Compressed), whole);
  EXPECT_EQ(p256(kP256Hybrid), whole);
  EXPECT_EQ(p256(kP256Point), whole);
  EXPECT_EQ(p256(kP256CompressedPoint), whole);
  EXPECT_EQ(p256(crlf), whole);
  EXPECT_EQ(p256("a note\n" + std::string(kP256Key)), whole);

  std::string const rsa = decoded(object("rsa", "rsassa-pss-sha256", kRsaKey)).fingerprint;
  ASSERT_NE(rsa, "");
  EXPECT_EQ(decoded(object("rsa", "rsassa-pss-sha256", kRsaPkcs1Key)).fingerprint, rsa);
  EXPECT_EQ(decoded(object("rsa", "rsa-pkcs1v15-sha512", kRsaKey)).fingerprint, rsa);
}

TEST(PublicKey, KnowsHowItIsWritten) {
  EXPECT_FALSE(decoded(object("ecdsa", "ecdsa-sha2-nistp256", kP256Key)).compressed);
  EXPECT_TRUE(decoded(object("ecdsa", "ecdsa-sha2-nistp256", kP256Compressed)).compressed);
  EXPECT_TRUE(decoded(object("ecdsa", "ecdsa-sha2-nistp256", kP384Key)).other_curve);
  EXPECT_FALSE(decoded(object("ecdsa", "ecdsa-sha2-nistp384", kP384Key)).other_curve);
  EXPECT_TRUE(read_key(object("rsa", "rsassa-pss-sha256", kRsaPkcs1Key)).value().key.pkcs1);
  EXPECT_TRUE(read_key(object("ecdsa", "ecdsa-sha2-nistp256", kP256Point)).value().key.hex_point);
}

TEST(Key, WithoutRequiredFieldsIsRefused) {
  EXPECT_EQ(verdict(read_key("[]")), "field_invalid");
  EXPECT_EQ(verdict(read_key(R"({"scheme":"ed25519","keyval":{}})")), "field_missing");
  EXPECT_EQ(verdict(read_key(R"({"keytype":1,"scheme":"x","keyval":{}})")), "field_invalid");
  EXPECT_EQ(verdict(read_key(R"({"keytype":"x","scheme":"x"})")), "field_missing");
}

TEST(KeyId, IsTheHashOfTheCanonicalKey) {
  std::string const text = object("ed25519", "ed25519", kEd25519Key);
  std::string const canonical = R"({"keytype":"ed25519","keyval":{"public":")" +
                                std::string(kEd25519Key) + R"("},"scheme":"ed25519"})";

  auto const right = read_key(text, sha256_hex(canonical));
  auto const wrong = read_key(text, sha256_hex("something else"));

  CANARY_ASSERT_OK(right);
  CANARY_ASSERT_OK(wrong);
  EXPECT_TRUE(right.value().key.id_matches);
  EXPECT_FALSE(wrong.value().key.id_matches);
  EXPECT_TRUE(wrong.value().key.usable());
}

TEST(KeyId, CountsUnknownFields) {
  auto const plain = json::Document::parse(R"({"a":1})", "x", {});
  auto const more = json::Document::parse(R"({"a":1,"x-owner":"me"})", "x", {});

  EXPECT_NE(key_id(plain.value()->root(), "x").value(), key_id(more.value()->root(), "x").value());
}

class AuthoredKey : public ::testing::TestWithParam<Scheme> {};

TEST_P(AuthoredKey, SignsWhatTheEngineVerifies) {
  SigningKey const signer = SigningKey::generate(GetParam());
  auto const key = read_key(signer.public_json(), signer.id());
  CANARY_ASSERT_OK(key);

  EXPECT_TRUE(key.value().key.id_matches);
  PublicKey const decoded = decode_key(key.value().key);
  SignatureCheck const checked = check(decoded, signer.sign(kMessage));
  EXPECT_EQ(checked.state, SignatureState::valid);
  EXPECT_FALSE(checked.unusual_salt);
  EXPECT_EQ(check(decoded, signer.sign("other bytes")).state, SignatureState::invalid);
}

INSTANTIATE_TEST_SUITE_P(Schemes, AuthoredKey,
                         ::testing::Values(Scheme::ed25519, Scheme::ecdsa_sha2_nistp224,
                                           Scheme::ecdsa_sha2_nistp256, Scheme::ecdsa_sha2_nistp384,
                                           Scheme::ecdsa_sha2_nistp521, Scheme::rsassa_pss_sha224,
                                           Scheme::rsassa_pss_sha256, Scheme::rsassa_pss_sha384,
                                           Scheme::rsassa_pss_sha512, Scheme::rsa_pkcs1v15_sha224,
                                           Scheme::rsa_pkcs1v15_sha256, Scheme::rsa_pkcs1v15_sha384,
                                           Scheme::rsa_pkcs1v15_sha512));

TEST(SeededKey, OfOneSeedIsAlwaysTheSame) {
  EXPECT_EQ(SigningKey::ed25519("a").id(), SigningKey::ed25519("a").id());
  EXPECT_NE(SigningKey::ed25519("a").id(), SigningKey::ed25519("b").id());
}

}  // namespace
}  // namespace canary::tuf
