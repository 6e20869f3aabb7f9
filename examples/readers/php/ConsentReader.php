<?php

declare(strict_types=1);

/**
 * What a visitor allowed, read by the site's own server from the `Cookie` header.
 *
 * One file without dependencies (PHP 8.1 or newer, 64 bits): copy it into your project. It fails
 * closed: what is missing, odd, too old or about an earlier question allows nothing.
 *
 *     $grants = ConsentReader::read($_SERVER['HTTP_COOKIE'] ?? '', 'example');
 *     if ($grants['google-analytics'] ?? false) { ... }
 */
final class ConsentReader
{
    private const VALUE = '/\A1\.([1-9][0-9]{0,8})\.([0-9a-z]{1,8})\.([0-9a-f]{32})\.([a-z0-9!~-]+)(?:\.(?:gpc|dnt))?\z/';
    private const KEY = '/\A!?[a-z0-9][a-z0-9-]{0,39}\z/';
    private const MAX_KEYS = 400;
    private const DAY = 86400;
    /** A webhook older or newer than this was kept back by somebody. */
    private const TOLERANCE = 300;

    /**
     * Category or service => whether it is allowed; empty where nothing is.
     *
     * $validDays is that of the site file, $since the version since which visitors must have been
     * asked (`material_since` of the newest version).
     *
     * @return array<string, bool>
     */
    public static function read(
        string $cookieHeader,
        string $site,
        ?int $now = null,
        int $validDays = 180,
        int $since = 1,
    ): array {
        return self::readDecision($cookieHeader, $site, $now, $validDays, $since)['grants'] ?? [];
    }

    /**
     * The decision that holds, or null; decided_at is in Unix seconds.
     *
     * @return array{version: int, decided_at: int, subject_id: string, grants: array<string, bool>}|null
     */
    public static function readDecision(
        string $cookieHeader,
        string $site,
        ?int $now = null,
        int $validDays = 180,
        int $since = 1,
    ): ?array {
        $now ??= time();
        $newest = null;
        foreach (explode(';', $cookieHeader) as $pair) {
            [$name, $value] = [...explode('=', trim($pair, " \t"), 2), ''];
            $decision = $name === "consent_$site" ? self::parse($value) : null;
            if ($decision !== null && ($newest === null || $decision['decided_at'] > $newest['decided_at'])) {
                $newest = $decision;
            }
        }
        if ($newest === null || $newest['version'] < $since) {
            return null;
        }
        // A clock may be wrong, but not by a day.
        $holds = $newest['decided_at'] - self::DAY <= $now
            && $now < $newest['decided_at'] + $validDays * self::DAY;
        return $holds ? $newest : null;
    }

    /** The visitor as webhooks name them: SHA-256 of the subject id, in hex. */
    public static function subjectOf(string $subjectId): string
    {
        return hash('sha256', $subjectId);
    }

    /**
     * Whether a webhook comes from your consent server, and now.
     *
     * $secret is what `consent-server webhook set` printed, $headers those of getallheaders(), $body
     * that of file_get_contents('php://input').
     *
     * @param array<string, string> $headers
     */
    public static function verifyWebhook(string $secret, array $headers, string $body, ?int $now = null): bool
    {
        $given = array_change_key_case($headers);
        $sentAt = $given['webhook-timestamp'] ?? '';
        if (!preg_match('/\A[0-9]{1,12}\z/', $sentAt) || abs(($now ?? time()) - (int) $sentAt) > self::TOLERANCE) {
            return false;
        }
        $key = base64_decode((string) preg_replace('/\Awhsec_/', '', $secret), true);
        if ($key === false || $key === '') {
            return false;
        }
        $signed = ($given['webhook-id'] ?? '') . ".$sentAt.$body";
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
        foreach (explode(' ', $given['webhook-signature'] ?? '') as $one) {
            if (hash_equals($expected, $one)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The signature for `consent.identify()`: that $ref is signed in, until $expires (Unix seconds, at
     * most an hour ahead). $secret is what `consent-server site identify-secret` printed.
     */
    public static function signRef(string $secret, string $site, string $ref, int $expires): string
    {
        return hash_hmac('sha256', "$site\n$expires\n$ref", $secret);
    }

    /** @return array{version: int, decided_at: int, subject_id: string, grants: array<string, bool>}|null */
    private static function parse(string $value): ?array
    {
        if (!preg_match(self::VALUE, $value, $found)) {
            return null;
        }
        [, $version, $seconds, $subjectId, $words] = $found;
        $keys = explode('~', $words);
        $grants = [];
        foreach ($keys as $key) {
            if (!preg_match(self::KEY, $key)) {
                return null;
            }
            $grants[ltrim($key, '!')] = $key[0] !== '!';
        }
        // Fewer grants than keys: one key that says two things.
        if (count($keys) > self::MAX_KEYS || count($grants) !== count($keys)) {
            return null;
        }
        return [
            'version' => (int) $version,
            'decided_at' => (int) base_convert($seconds, 36, 10),
            'subject_id' => $subjectId,
            'grants' => $grants,
        ];
    }
}
