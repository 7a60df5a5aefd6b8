// SPDX-License-Identifier: GPL-2.0-or-later
/* The program that does nothing: what `natsim bench` compares the start of others with. */
int main(void)
{
	return 0;
}
