<?php
// Stands in for WordPress where docs/wordpress-and-ghost.md calls it; the requests are real.
define( 'DIGEST_API', getenv( 'DIGEST_API' ) );
define( 'DIGEST_TOKEN', getenv( 'DIGEST_TOKEN' ) );
$_SERVER['REMOTE_ADDR'] = '192.0.2.7';
$hooks = array();
function add_action( $name, $act, $priority, $count ) { global $hooks; $hooks[ $name ] = $act; }
function apply_filters( $name, $text ) { return '<p>' . $text . '</p>'; }
function get_permalink( $id ) { return 'https://blog.example/?p=' . $id; }
function get_the_title( $id ) { return 'The harbour &#038; the sea &#8211; open'; }
function get_the_post_thumbnail_url( $id, $size ) { return 17 === $id ? 'https://blog.example/a.jpg' : false; }
function get_the_author_meta( $field, $author ) { return 'Ada'; }
function get_post_time( $format, $gmt, $id ) { return '2026-11-22T12:00:00+00:00'; }
function wp_get_post_terms( $id, $kinds, $options ) { return array( 'World' ); }
function home_url( $path ) { return 'https://blog.example' . $path; }
function add_query_arg( $values ) { return '/newsletter'; }
function wp_json_encode( $value ) { return json_encode( $value ); }
function is_wp_error( $answer ) { return false; }
function wp_remote_retrieve_response_code( $answer ) { return $answer['code']; }
function wp_remote_post( $url, $options ) {
	$lines = array();
	foreach ( $options['headers'] as $name => $value ) { $lines[] = "$name: $value"; }
	$http = array(
		'method' => 'POST', 'header' => $lines, 'content' => $options['body'], 'timeout' => $options['timeout'],
		'ignore_errors' => true,
	);
	$body = file_get_contents( $url, false, stream_context_create( array( 'http' => $http ) ) );
	return array( 'code' => (int) explode( ' ', $http_response_header[0] )[1], 'body' => $body );
}
require $argv[1];
require $argv[2];
foreach ( array( array( 17, 'publish', '' ), array( 17, 'publish', '' ), array( 18, 'draft', '' ), array( 19, 'publish', 'secret' ) ) as $one ) {
	$post = (object) array(
		'post_type' => 'post', 'post_status' => $one[1], 'post_password' => $one[2], 'post_content' => 'It opens.', 'post_author' => 1,
	);
	$hooks['wp_after_insert_post']( $one[0], $post );
}
echo digest_sign_up( 'ann@reader.example', 'Yes, mail me.' )['code'];
